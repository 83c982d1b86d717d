import { BookPill, Cover } from "@luna/ui";
import { formatNumber } from "@luna/i18n";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Book, Facet, Search } from "./queries";

const MAX_VALUES = 8; // of a filter

export function BookCard({ book }: { book: Book }) {
  const { t } = useTranslation();
  return (
    <li className="book-card">
      <Cover title={book.title} author={book.author} />
      <div className="grow stack-sm">
        <h2>
          <Link to="/books/$bookId" params={{ bookId: book.id }} className="cover-link">{book.title}</Link>
        </h2>
        <p className="dim small">{[book.author, book.publication_year].filter(Boolean).join(" · ")}</p>
        <p className="row">
          <BookPill status={book.status} />
          <span className="small dim">{t("book.copies", { available: book.copies_available, total: book.copies_total })}</span>
        </p>
      </div>
    </li>
  );
}

/** What was searched instead of what was typed, and the way to refuse it. */
export function Correction({ search, text, onChange }: { search: Search; text: string | null; onChange: (next: Search) => void }) {
  const { t } = useTranslation();
  if (!text || !search.q || search.exact) return null;
  return (
    <p role="status">
      {t("search.didYouMean", { text })}{" "}
      <button type="button" className="link-button" onClick={() => onChange({ exact: true })}>{t("search.exact", { text: search.q })}</button>
    </p>
  );
}

/** Filters with the number of titles each would leave. */
export function Facets({ facets, search, onChange }: { facets: Facet[]; search: Search; onChange: (next: Search) => void }) {
  const { t } = useTranslation();
  const shown = facets.filter((facet) => (facet.name === "subject" || facet.name === "language") && facet.values.length > 1);
  if (!shown.length) return null;
  return (
    <details className="facets">
      <summary>{t("search.narrow")}</summary>
      {shown.map((facet) => {
        const name = facet.name as "subject" | "language";
        return (
          <div key={name} className="stack-sm">
            <h3>{t(`search.facet.${name}`)}</h3>
            <p className="row">
              {facet.values.slice(0, MAX_VALUES).map(({ value, count }) => (
                <button key={value} type="button" className="chip" aria-pressed={search[name] === value} onClick={() => onChange({ [name]: search[name] === value ? undefined : value })}>
                  {value} <span className="figures dim">{formatNumber(count)}</span>
                </button>
              ))}
            </p>
          </div>
        );
      })}
    </details>
  );
}
