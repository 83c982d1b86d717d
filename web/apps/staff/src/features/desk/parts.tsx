import { formatDate, inWords } from "@luna/i18n";
import { Loaded, Pill, Refusal, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { isChange, useChangeLoan, useMemberLoans, type Loan, type Member } from "./queries";

export function MemberLoans({ member }: { member: Member }) {
  const { t } = useTranslation();
  const loans = useMemberLoans(member.id);
  return (
    <Loaded query={loans}>
      {(found) => (
        <section className="stack-sm">
          <h2>{t("members.loans", { number: found.length })}</h2>
          <ul className="plain rows">{found.map((loan) => <LoanRow key={loan.id} loan={loan} />)}</ul>
        </section>
      )}
    </Loaded>
  );
}

/** A loan with what the server allows now; refused actions say why. */
function LoanRow({ loan }: { loan: Loan }) {
  const { t } = useTranslation();
  const toast = useToast();
  const change = useChangeLoan(loan);
  return (
    <li className="stack-sm">
      <div className="between">
        <span className="grow">{loan.book_title} <span className="figures dim small">{loan.barcode}</span></span>
        <Pill tone={loan.overdue ? "fail" : "wait"} icon={loan.overdue ? "alert" : "clock"}>{`${t("members.due")} ${formatDate(loan.due_at)}`}</Pill>
      </div>
      <div className="row">
        {loan.actions.map(({ name, allowed, reasons }) =>
          isChange(name) && (
            <Button
              key={name} variant="default" size="xs" disabled={!allowed} title={reasons.map((reason) => inWords(reason.message, reason.code)).join(" ") || undefined}
              loading={change.isPending && change.variables === name} onClick={() => change.mutate(name, { onSuccess: () => toast(t("desk.changed")) })}
            >
              {t(`loan.${name}`)}
            </Button>
          ),
        )}
      </div>
      <Refusal error={change.error} />
    </li>
  );
}
