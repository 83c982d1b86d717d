import { formatDate, formatMoment } from "@luna/i18n";
import { Cover, EmptyState, Icon, Loaded, Pill, Refusal, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { useHolds, useLeave, useSuspend, type Hold } from "./queries";

const PAUSE = 30 * 86_400_000; // ms

export function HoldsPage() {
  const { t } = useTranslation();
  const holds = useHolds();
  return (
    <div className="stack-lg">
      <ScreenTitle title={t("holds.title")} back />
      <Loaded query={holds}>
        {(found) =>
          found.length ? (
            <ul className="plain stack">{found.map((hold) => <HoldCard key={hold.id} hold={hold} />)}</ul>
          ) : (
            <EmptyState icon="clock" title={t("holds.none")} text={t("holds.noneText")} action={<Link to="/" className="main-action">{t("requests.find")}</Link>} />
          )
        }
      </Loaded>
    </div>
  );
}

function HoldCard({ hold }: { hold: Hold }) {
  return (
    <li className="card stack">
      <div className="row nowrap">
        <Cover title={hold.book_title} author="" width={48} />
        <div className="grow stack-sm">
          <h2><Link to="/books/$bookId" params={{ bookId: hold.book_id }}>{hold.book_title}</Link></h2>
          <Place hold={hold} />
        </div>
      </div>
      <Changes hold={hold} />
    </li>
  );
}

/** The place in the queue and the date as the server gives them. */
function Place({ hold }: { hold: Hold }) {
  const { t } = useTranslation();
  if (hold.status === "READY") return <p className="row"><Pill tone="done" icon="check">{t("holds.ready")}</Pill>{hold.ready_until && <span className="small">{t("holds.until", { time: formatMoment(hold.ready_until) })}</span>}</p>;
  return (
    <>
      <p className="row"><Pill tone="wait" icon="clock">{t("holds.position", { position: hold.position ?? "–" })}</Pill>{hold.expected_at && <span className="small dim">{t("holds.expected", { date: formatDate(hold.expected_at) })}</span>}</p>
      {hold.suspended_until && <p className="small">{t("holds.paused", { date: formatDate(hold.suspended_until) })}</p>}
    </>
  );
}

function Changes({ hold }: { hold: Hold }) {
  const { t } = useTranslation();
  const toast = useToast();
  const suspend = useSuspend(hold);
  const leave = useLeave(hold);
  const may = (name: string) => hold.actions.some((each) => each.name === name && each.allowed);
  const paused = hold.suspended_until !== null;
  return (
    <div className="stack-sm">
      {hold.status === "READY" && <Link to="/books/$bookId/request" params={{ bookId: hold.book_id }} className="main-action"><Icon name="robot" size={24} />{t("book.request")}</Link>}
      {may("SUSPEND") && (
        <Button variant="default" size="md" loading={suspend.isPending} onClick={() => suspend.mutate(paused ? null : new Date(Date.now() + PAUSE).toISOString())}>{t(paused ? "holds.resume" : "holds.pause")}</Button>
      )}
      {may("CANCEL_HOLD") && <Button variant="default" size="md" loading={leave.isPending} onClick={() => leave.mutate(undefined, { onSuccess: () => toast(t("holds.left"), "wait") })}>{t("holds.leave")}</Button>}
      <Refusal error={suspend.error ?? leave.error} />
    </div>
  );
}
