import type { Schemas } from "@luna/api";
import { EmptyState, Loaded } from "@luna/ui";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../parts/Dialog";
import { Heading } from "../../parts/Heading";
import { Pager } from "../../parts/Pager";
import { SearchField } from "../../parts/SearchField";
import { Table } from "../../parts/Table";
import { MemberRecord } from "./parts";
import { useMembers } from "./queries";

type Member = Schemas["MemberRead"];

export function MembersPage() {
  const { t } = useTranslation();
  const { q, page = 1, member: chosen } = useSearch({ from: "/app/members" });
  const navigate = useNavigate({ from: "/members" });
  const members = useMembers(q, page);
  const open = (member?: string) => void navigate({ search: { q, page, member } });
  const member = members.data?.items.find((each) => each.id === chosen);
  return (
    <>
      <Heading title={t("staff.members")}>
        <SearchField label={t("members.search")} value={q} onChange={(text) => void navigate({ search: { q: text }, replace: true })} />
      </Heading>
      <Loaded query={members}>
        {({ items, pagination }) =>
          items.length ? (
            <>
              <Members members={items} onOpen={open} />
              <Pager pagination={pagination} onPage={(next) => void navigate({ search: { q, page: next } })} />
            </>
          ) : (
            <EmptyState icon="people" title={t("members.none")} text={t("members.noneText")} />
          )
        }
      </Loaded>
      <Dialog opened={member !== undefined} onClose={() => open()} title={member ? nameOf(member) : ""} size="lg">
        {member && <MemberRecord member={member} />}
      </Dialog>
    </>
  );
}

function nameOf(member: Member): string {
  return `${member.first_name} ${member.last_name}`;
}

function Members({ members, onOpen }: { members: Member[]; onOpen: (id: string) => void }) {
  const { t } = useTranslation();
  return (
    <Table label={t("staff.members")} columns={[t("members.name"), t("auth.email"), t("members.role"), t("members.openLoans")]}>
      {members.map((member) => (
        <tr key={member.id}>
          <th scope="row"><button type="button" className="link-button" onClick={() => onOpen(member.id)}>{nameOf(member)}</button></th>
          <td>{member.email}</td><td>{t(`role.${member.role}`)}</td><td className="figures">{member.open_loans}</td>
        </tr>
      ))}
    </Table>
  );
}
