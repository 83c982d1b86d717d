import { formatMoment } from "@luna/i18n";
import { EmptyState, Icon, Loaded, Pill } from "@luna/ui";
import { Button } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../parts/Dialog";
import { Heading } from "../../parts/Heading";
import { Pager } from "../../parts/Pager";
import { ROLES } from "../../parts/roles";
import { SearchField } from "../../parts/SearchField";
import { Table } from "../../parts/Table";
import { EditAccount, NewAccount } from "./parts";
import { useAccount, useAccounts, type Account } from "./queries";

const NEW = "new";

export function AccountsPage() {
  const { t } = useTranslation();
  const { q, role, page = 1, account: chosen } = useSearch({ from: "/app/accounts" });
  const navigate = useNavigate({ from: "/accounts" });
  const accounts = useAccounts({ q, role, page });
  const open = (account?: string) => void navigate({ search: { q, role, page, account } });
  return (
    <>
      <Heading title={t("staff.accounts")}>
        <SearchField label={t("members.search")} value={q} onChange={(text) => void navigate({ search: { q: text, role }, replace: true })} />
        <select aria-label={t("members.role")} value={role ?? ""} onChange={(event) => void navigate({ search: { q, role: ROLES.find((each) => each === event.target.value) } })}>
          <option value="">{t("accounts.allRoles")}</option>
          {ROLES.map((each) => <option key={each} value={each}>{t(`role.${each}`)}</option>)}
        </select>
        <Button size="sm" leftSection={<Icon name="plus" size={18} />} onClick={() => open(NEW)}>{t("accounts.add")}</Button>
      </Heading>
      <Loaded query={accounts}>
        {({ items, pagination }) =>
          items.length ? (
            <>
              <Accounts accounts={items} onOpen={open} />
              <Pager pagination={pagination} onPage={(next) => void navigate({ search: { q, role, page: next } })} />
            </>
          ) : (
            <EmptyState icon="people" title={t("members.none")} text={t("members.noneText")} />
          )
        }
      </Loaded>
      <Dialog opened={chosen === NEW} onClose={() => open()} title={t("accounts.add")}><NewAccount onDone={() => open()} /></Dialog>
      <AccountDialog userId={chosen === NEW ? undefined : chosen} onClose={() => open()} />
    </>
  );
}

function Accounts({ accounts, onOpen }: { accounts: Account[]; onOpen: (id: string) => void }) {
  const { t } = useTranslation();
  return (
    <Table label={t("staff.accounts")} columns={[t("members.name"), t("auth.email"), t("members.role"), t("accounts.state"), t("accounts.lastLogin")]}>
      {accounts.map((each) => (
        <tr key={each.id}>
          <th scope="row"><button type="button" className="link-button" onClick={() => onOpen(each.id)}>{each.first_name} {each.last_name}</button></th>
          <td>{each.email}</td><td>{t(`role.${each.role}`)}</td>
          <td>{each.is_active ? <Pill tone="done" icon="check">{t("accounts.active")}</Pill> : <Pill tone="wait" icon="lock">{t("accounts.inactive")}</Pill>}</td>
          <td>{each.last_login_at ? formatMoment(each.last_login_at) : t("accounts.never")}</td>
        </tr>
      ))}
    </Table>
  );
}

function AccountDialog({ userId, onClose }: { userId: string | undefined; onClose: () => void }) {
  const { t } = useTranslation();
  const account = useAccount(userId);
  return (
    <Dialog opened={userId !== undefined} onClose={onClose} title={account.data?.email ?? t("staff.accounts")} size="lg">
      <Loaded query={account}>{(data) => <EditAccount key={data.id} account={data} onDone={onClose} />}</Loaded>
    </Dialog>
  );
}
