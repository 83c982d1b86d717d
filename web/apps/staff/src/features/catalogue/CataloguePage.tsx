import { formatNumber } from "@luna/i18n";
import { BookPill, EmptyState, Icon, Loaded } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { useCatalogue } from "./queries";

export function CataloguePage() {
  const { t } = useTranslation();
  const { q, page = 1 } = useSearch({ from: "/app/catalogue" });
  const navigate = useNavigate({ from: "/catalogue" });
  const books = useCatalogue(q, page);
  const [text, setText] = useState(q ?? "");
  const search = useDebouncedCallback((next: string) => void navigate({ search: { q: next.trim() || undefined }, replace: true }), 250);
  return (
    <>
      <Heading title={t("staff.catalogue")}>
        <TextInput size="sm" type="search" aria-label={t("search.label")} placeholder={t("search.placeholder")} leftSection={<Icon name="search" size={16} />} value={text} onChange={(event) => { setText(event.currentTarget.value); search(event.currentTarget.value); }} />
        <Link to="/catalogue/new" className="button-link"><Icon name="plus" size={18} />{t("catalogue.add")}</Link>
      </Heading>
      <Loaded query={books}>
        {({ items, pagination }) =>
          items.length ? (
            <>
              <p className="dim small" role="status">{t("search.count", { count: pagination.total, total: formatNumber(pagination.total) })}</p>
              <div className="table-scroll" role="region" aria-label={t("staff.catalogue")} tabIndex={0}>
                <table>
                  <thead><tr><th>{t("book.title")}</th><th>{t("book.author")}</th><th>{t("book.year")}</th><th>{t("book.shelf")}</th><th>{t("book.copiesLabel")}</th><th>{t("book.status")}</th></tr></thead>
                  <tbody>
                    {items.map((book) => (
                      <tr key={book.id}>
                        <th scope="row"><Link to="/catalogue/$bookId" params={{ bookId: book.id }}>{book.title}</Link></th>
                        <td>{book.author}</td><td className="figures">{book.publication_year}</td><td>{book.shelf_location}</td>
                        <td className="figures">{book.copies_available}/{book.copies_total}</td><td><BookPill status={book.status} /></td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              <div className="row" role="group" aria-label={t("catalogue.pages")}>
                <Button variant="default" size="sm" disabled={page <= 1} onClick={() => void navigate({ search: { q, page: page - 1 } })}>{t("catalogue.previous")}</Button>
                <span className="figures small">{t("catalogue.page", { page, pages: pagination.total_pages })}</span>
                <Button variant="default" size="sm" disabled={page >= pagination.total_pages} onClick={() => void navigate({ search: { q, page: page + 1 } })}>{t("catalogue.next")}</Button>
              </div>
            </>
          ) : (
            <EmptyState icon="books" title={t("search.none")} text={t("search.noneText")} />
          )
        }
      </Loaded>
    </>
  );
}
