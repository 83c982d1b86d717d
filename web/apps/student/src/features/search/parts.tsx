import type { Schemas } from "@luna/api";
import { BookPill, Cover } from "@luna/ui";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

export function BookCard({ book }: { book: Schemas["BookRead"] }) {
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
