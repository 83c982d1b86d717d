import type { Schemas } from "@luna/api";
import { formatDate } from "@luna/i18n";
import { Loaded, Pill, TaskPill } from "@luna/ui";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useMemberRecord } from "./queries";

/** Open loans and requests of one member. */
export function MemberRecord({ member }: { member: Schemas["MemberRead"] }) {
  const record = useMemberRecord(member.id);
  return (
    <div className="stack">
      <p className="dim">{member.email}</p>
      <Loaded query={record}>
        {({ loans, requests }) => (
          <>
            <Loans loans={loans.filter((loan) => loan.returned_at === null)} />
            <Requests requests={requests.filter((request) => !["COMPLETED", "CANCELLED"].includes(request.status))} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Loans({ loans }: { loans: Schemas["LoanRead"][] }) {
  const { t } = useTranslation();
  return (
    <section className="stack-sm">
      <h3>{t("members.loans", { number: loans.length })}</h3>
      {!loans.length && <p className="dim">{t("loans.none")}</p>}
      <ul className="plain rows">
        {loans.map((loan) => (
          <li key={loan.id} className="between">
            <span className="grow"><Link to="/catalogue/$bookId" params={{ bookId: loan.book_id }}>{loan.book_title}</Link> <span className="figures dim small">{loan.barcode}</span></span>
            <Pill tone={loan.overdue ? "fail" : "wait"} icon={loan.overdue ? "alert" : "clock"}>{`${t("members.due")} ${formatDate(loan.due_at)}`}</Pill>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Requests({ requests }: { requests: Schemas["RequestRead"][] }) {
  const { t } = useTranslation();
  return (
    <section className="stack-sm">
      <h3>{t("members.requests", { number: requests.length })}</h3>
      <ul className="plain rows">
        {requests.map((request) => (
          <li key={request.id} className="between">
            <span className="grow"><Link to="/" search={{ task: request.task.id }}>{request.book_title}</Link> <span className="dim small">{request.request_location}</span></span>
            <TaskPill task={request.task} />
          </li>
        ))}
      </ul>
    </section>
  );
}
