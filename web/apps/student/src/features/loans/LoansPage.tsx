import type { Schemas } from "@luna/api";
import { formatDate, formatDays } from "@luna/i18n";
import { Cover, EmptyState, Icon, Loaded, Pill } from "@luna/ui";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { Renew, RenewAll, Summary } from "./parts";
import { useLoans, useOpenReturns } from "./queries";

export function LoansPage() {
  const { t } = useTranslation();
  const loans = useLoans();
  return (
    <div className="stack-lg">
      <ScreenTitle title={t("loans.title")}><Link to="/holds">{t("holds.title")}</Link></ScreenTitle>
      <Loaded query={loans}>
        {(found) => {
          const open = found.filter((loan) => loan.returned_at === null);
          const closed = found.filter((loan) => loan.returned_at !== null);
          return (
            <>
              {open.length ? (
                <>
                <Summary />
                <ul className="plain stack">{open.map((loan) => <Loan key={loan.id} loan={loan} />)}</ul>
                {open.length > 1 && <RenewAll />}
                </>
              ) : (
                <EmptyState icon="book" title={t("loans.none")} text={t("loans.noneText")} action={<Link to="/" className="main-action">{t("requests.find")}</Link>} />
              )}
              {closed.length > 0 && <History loans={closed} />}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function Loan({ loan }: { loan: Schemas["LoanRead"] }) {
  const { t } = useTranslation();
  const returning = useOpenReturns().data?.get(loan.id);
  return (
    <li className="card stack">
      <div className="row nowrap">
        <Cover title={loan.book_title} author="" width={48} />
        <div className="grow stack-sm">
          <h2><Link to="/books/$bookId" params={{ bookId: loan.book_id }}>{loan.book_title}</Link></h2>
          <p className="row">
            <Pill tone={loan.overdue ? "fail" : "wait"} icon={loan.overdue ? "alert" : "clock"}>
              {loan.overdue ? t("loans.overdue") : t("loans.due", { days: formatDays(loan.due_at) })}
            </Pill>
            <time className="small dim" dateTime={loan.due_at}>{formatDate(loan.due_at)}</time>
          </p>
        </div>
      </div>
      <Renew loan={loan} />
      {returning ? (
        <Link to="/returns/$returnId" params={{ returnId: returning.id }} className="second-action"><Icon name="robot" />{t("loans.returning")}</Link>
      ) : (
        <Link to="/loans/$loanId/return" params={{ loanId: loan.id }} className="second-action"><Icon name="return" />{t("loans.fetch")}</Link>
      )}
    </li>
  );
}

function History({ loans }: { loans: Schemas["LoanRead"][] }) {
  const { t } = useTranslation();
  return (
    <details className="stack-sm">
      <summary>{t("loans.history", { number: loans.length })}</summary>
      <ul className="plain rows">
        {loans.map((loan) => (
          <li key={loan.id} className="between">
            <Link to="/books/$bookId" params={{ bookId: loan.book_id }}>{loan.book_title}</Link>
            {loan.returned_at && <time className="small dim" dateTime={loan.returned_at}>{formatDate(loan.returned_at)}</time>}
          </li>
        ))}
      </ul>
    </details>
  );
}
