import type { Schemas } from "@luna/api";
import { formatDate, inWords } from "@luna/i18n";
import { Refusal, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useRenew, useRenewAll, useSummary } from "./queries";

/** How many more may be borrowed; nothing until the server has said so. */
export function Summary() {
  const { t } = useTranslation();
  const summary = useSummary().data;
  if (!summary) return null;
  return <p className="dim">{t("loans.summary", { open: summary.open, limit: summary.limit })}</p>;
}

/** The server says whether a loan can be renewed, and why not. */
export function Renew({ loan }: { loan: Schemas["LoanRead"] }) {
  const { t } = useTranslation();
  const toast = useToast();
  const renew = useRenew(loan);
  const action = loan.actions.find((each) => each.name === "RENEW");
  if (!action) return null;
  return (
    <>
      <Button
        variant="default" size="md" disabled={!action.allowed} loading={renew.isPending}
        onClick={() => renew.mutate(undefined, { onSuccess: (renewed) => toast(t("loans.renewed", { date: formatDate(renewed.due_at) })) })}
      >
        {t("loans.renew")}
      </Button>
      {!action.allowed && action.reasons.map((reason) => <p key={reason.code} className="small dim">{inWords(reason.message, reason.code)}</p>)}
      <Refusal error={renew.error} />
    </>
  );
}

export function RenewAll() {
  const { t } = useTranslation();
  const renew = useRenewAll();
  const results = renew.data ?? [];
  return (
    <section className="stack-sm">
      <Button variant="default" size="lg" loading={renew.isPending} onClick={() => renew.mutate(undefined)}>{t("loans.renewAll")}</Button>
      <Refusal error={renew.error} />
      {results.length > 0 && (
        <ul className="plain rows" role="status">
          {results.map(({ loan, renewed, reasons }) => (
            <li key={loan.id}><strong>{loan.book_title}</strong> {renewed ? t("loans.renewed", { date: formatDate(loan.due_at) }) : reasons.map((reason) => inWords(reason.message, reason.code)).join(" ")}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
