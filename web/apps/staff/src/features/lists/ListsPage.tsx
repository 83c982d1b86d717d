import { formatDate, formatNumber } from "@luna/i18n";
import { EmptyState, Loaded, Refusal } from "@luna/ui";
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { Pager } from "../../parts/Pager";
import { Table } from "../../parts/Table";
import { LISTS, saveList, useList, type ListName, type Row } from "./queries";

export function ListsPage() {
  const { t } = useTranslation();
  const { name = "overdue", page = 1 } = useSearch({ from: "/app/lists" });
  const navigate = useNavigate({ from: "/lists" });
  const list = useList(name, page);
  const save = useMutation({ mutationFn: () => saveList(name) });
  return (
    <>
      <Heading title={t("lists.title")}>
        {LISTS.map((each) => (
          <button key={each} type="button" className="tab-button" aria-pressed={each === name} onClick={() => void navigate({ search: { name: each } })}>{t(`lists.${each}`)}</button>
        ))}
        <Button variant="default" size="sm" loading={save.isPending} onClick={() => save.mutate()}>CSV</Button>
      </Heading>
      <Refusal error={save.error} />
      <Loaded query={list}>
        {({ items, pagination }) =>
          items.length ? (
            <>
              <Rows name={name} rows={items} />
              <Pager pagination={pagination} onPage={(next) => void navigate({ search: { name, page: next } })} />
            </>
          ) : (
            <EmptyState icon="check" title={t("lists.none")} text={t("lists.noneText")} />
          )
        }
      </Loaded>
    </>
  );
}

type Column = [title: string, cell: (row: Row) => ReactNode];

function Rows({ name, rows }: { name: ListName; rows: Row[] }) {
  const { t } = useTranslation();
  const date = (moment: string | null | undefined) => moment && formatDate(moment);
  const barcode: Column = [t("task.barcode"), (row) => row.barcode];
  const shelf: Column = [t("book.shelf"), (row) => row.shelf_location];
  const member: Column = [t("lists.who"), (row) => <>{row.member_name} <span className="dim">{row.email}</span></>];
  const columns: Record<ListName, Column[]> = {
    overdue: [barcode, member, [t("lists.due"), (row) => date(row.due_at)], [t("lists.state"), (row) => row.state && t(`loanState.${row.state}`)]],
    "hold-shelf": [barcode, member, [t("lists.until"), (row) => <>{date(row.ready_until)} {row.to_clear && <strong>{t("lists.clear")}</strong>}</>]],
    "high-demand": [[t("lists.waiting"), (row) => formatNumber(row.waiting ?? 0)], [t("book.copiesLabel"), (row) => formatNumber(row.copies_total ?? 0)]],
    "never-borrowed": [barcode, shelf, [t("lists.seen"), (row) => date(row.last_seen_at)]],
    missing: [barcode, shelf, [t("copy.condition"), (row) => row.condition && t(`condition.${row.condition}`)], [t("lists.seen"), (row) => date(row.last_seen_at)]],
  };
  return (
    <Table label={t(`lists.${name}`)} columns={[t("book.title"), ...columns[name].map(([title]) => title)]}>
      {rows.map((row) => (
        <tr key={row.id}>
          <th scope="row"><Link to="/catalogue" search={{ q: row.title }}>{row.title}</Link> <span className="dim">{row.author}</span></th>
          {columns[name].map(([title, cell]) => <td key={title} className="figures">{cell(row)}</td>)}
        </tr>
      ))}
    </Table>
  );
}
