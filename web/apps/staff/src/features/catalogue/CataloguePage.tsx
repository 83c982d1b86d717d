import { formatNumber } from "@luna/i18n";
import { BookPill, EmptyState, Icon, Loaded } from "@luna/ui";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { Pager } from "../../parts/Pager";
import { SearchField } from "../../parts/SearchField";
import { Table } from "../../parts/Table";
import { useCatalogue } from "./queries";

export function CataloguePage() {
  const { t } = useTranslation();
  const { q, page = 1 } = useSearch({ from: "/app/catalogue" });
  const navigate = useNavigate({ from: "/catalogue" });
  const books = useCatalogue(q, page);
  return (
    <>
      <Heading title={t("staff.catalogue")}>
        <SearchField label={t("search.label")} placeholder={t("search.placeholder")} value={q} onChange={(text) => void navigate({ search: { q: text }, replace: true })} />
        <Link to="/catalogue/new" className="button-link"><Icon name="plus" size={18} />{t("catalogue.add")}</Link>
      </Heading>
      <Loaded query={books}>
        {({ items, pagination }) =>
          items.length ? (
            <>
              <p className="dim small" role="status">{t("search.count", { count: pagination.total, total: formatNumber(pagination.total) })}</p>
              <Table label={t("staff.catalogue")} columns={[t("book.title"), t("book.author"), t("book.year"), t("book.shelf"), t("book.copiesLabel"), t("book.status")]}>
                {items.map((book) => (
                  <tr key={book.id}>
                    <th scope="row"><Link to="/catalogue/$bookId" params={{ bookId: book.id }}>{book.title}</Link></th>
                    <td>{book.author}</td><td className="figures">{book.publication_year}</td><td>{book.shelf_location}</td>
                    <td className="figures">{book.copies_available}/{book.copies_total}</td><td><BookPill status={book.status} /></td>
                  </tr>
                ))}
              </Table>
              <Pager pagination={pagination} onPage={(next) => void navigate({ search: { q, page: next } })} />
            </>
          ) : (
            <EmptyState icon="books" title={t("search.none")} text={t("search.noneText")} />
          )
        }
      </Loaded>
    </>
  );
}
