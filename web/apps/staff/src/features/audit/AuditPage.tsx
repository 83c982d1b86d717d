import type { Schemas } from "@luna/api";
import { formatMoment } from "@luna/i18n";
import { EmptyState, Loaded } from "@luna/ui";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { Pager } from "../../parts/Pager";
import { DateField, SearchField } from "../../parts/SearchField";
import { Table } from "../../parts/Table";
import { useAuditEntries, type Filter } from "./queries";

export function AuditPage() {
  const { t } = useTranslation();
  const filter = useSearch({ from: "/app/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const entries = useAuditEntries(filter);
  const narrow = (change: Filter) => void navigate({ search: { ...filter, page: undefined, ...change }, replace: true });
  return (
    <>
      <Heading title={t("staff.audit")} />
      <div className="row filters" role="group" aria-label={t("search.filters")}>
        <SearchField label={t("audit.action")} placeholder="user.changed" value={filter.action} onChange={(action) => narrow({ action })} />
        <SearchField label={t("audit.resource")} placeholder="user" value={filter.resource} onChange={(resource) => narrow({ resource })} />
        <DateField label={t("audit.from")} value={filter.from} onChange={(from) => narrow({ from })} />
        <DateField label={t("audit.to")} value={filter.to} onChange={(to) => narrow({ to })} />
      </div>
      <Loaded query={entries}>
        {({ items, pagination }) =>
          items.length ? (
            <>
              <Table label={t("staff.audit")} columns={[t("audit.time"), t("audit.action"), t("audit.resource"), t("audit.changes"), t("audit.who"), t("audit.request")]}>
                {items.map((entry) => <Entry key={entry.id} entry={entry} />)}
              </Table>
              <Pager pagination={pagination} onPage={(page) => void navigate({ search: { ...filter, page } })} />
            </>
          ) : (
            <EmptyState icon="list" title={t("audit.none")} text={t("audit.noneText")} />
          )
        }
      </Loaded>
    </>
  );
}

function Entry({ entry }: { entry: Schemas["AuditLogRead"] }) {
  return (
    <tr>
      <td><time dateTime={entry.created_at}>{formatMoment(entry.created_at)}</time></td>
      <th scope="row">{entry.action}</th>
      <td>{entry.resource_type} <span className="dim tiny block">{entry.resource_id}</span></td>
      <td>{Object.entries(entry.changes).map(([name, change]) => <p key={name} className="small"><strong>{name}</strong> {shown(change)}</p>)}</td>
      <td className="tiny">{entry.user_id}<span className="dim block">{entry.ip_address}</span></td>
      <td className="tiny dim">{entry.request_id}</td>
    </tr>
  );
}

/** “before → after” where both are known, else the value as it was recorded. */
function shown(change: unknown): string {
  if (typeof change !== "object" || change === null) return String(change);
  const { before, after, ...rest } = change as Record<string, unknown>;
  if (before === undefined && after === undefined) return JSON.stringify(rest);
  return `${plain(before)} → ${plain(after)}`;
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
