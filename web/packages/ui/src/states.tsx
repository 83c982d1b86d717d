// The states every page has: loading, empty, error, forbidden, stale.
import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { ApiProblem, isStale, live, useLiveStatus } from "@luna/api";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { formatAge, inWords } from "@luna/i18n";
import { isFirstLoad, useDrawn, useReturn } from "./drawn";
import { Icon, type IconName } from "./icons";

const STALE_AFTER = 10_000; // ms without the live view

export function Skeletons({ count = 4, height = 88 }: { count?: number; height?: number }) {
  const { t } = useTranslation();
  return (
    <div className="stack" role="status" aria-label={t("state.loading")}>
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className="skeleton" style={{ height }} />
      ))}
    </div>
  );
}

export function EmptyState({ icon, title, text, action }: { icon: IconName; title: string; text?: string; action?: ReactNode }) {
  return (
    <div className="state">
      <Icon name={icon} />
      <h2>{title}</h2>
      {text && <p className="dim">{text}</p>}
      {action}
    </div>
  );
}

/** Cause, next step and the id under which the operator finds the call in the logs. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const problem = error instanceof ApiProblem ? error : null;
  if (problem?.code === "SECOND_FACTOR_REQUIRED")
    return <EmptyState icon="lock" title={t("factor.title")} text={t("factor.required")} action={<a href="/profile">{t("factor.setUp")}</a>} />;
  if (problem?.status === 403)
    return <EmptyState icon="lock" title={t("state.forbidden")} text={inWords(problem.message, problem.code)} />;
  if (problem?.status === 404)
    return <EmptyState icon="search" title={t("state.notFound")} text={t("state.notFoundText")} />;
  return (
    <div className="state" role="alert">
      <Icon name={problem?.status === 0 ? "offline" : "alert"} />
      <h2>{t(problem?.status === 0 ? "state.unreachable" : "state.failed")}</h2>
      <p className="dim">{problem?.status === 0 ? t("state.unreachableText") : messageOf(error)}</p>
      {retry && <Button onClick={retry} size="md">{t("action.retry")}</Button>}
      {problem?.requestId && <p className="tiny dim">{t("state.requestId", { id: problem.requestId })}</p>}
    </div>
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? inWords(error.message, error instanceof ApiProblem ? error.code : undefined) : String(error);
}

/** What is wrong with a form's fields, by the name of the field. */
export function fieldsOf(error: unknown): Record<string, string> {
  const found = error instanceof ApiProblem ? error.fields : {};
  return Object.fromEntries(Object.entries(found).map(([name, texts]) => [name, texts.map((text) => inWords(text)).join(" ")]));
}

/** A refused write, beside the form it belongs to. */
export function Refusal({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!error) return null;
  const problem = error instanceof ApiProblem ? error : null;
  const reasons = problem?.reasons ?? [];
  return (
    <div className="notice tone-fail" role="alert">
      <Icon name="alert" />
      <div className="stack-sm">
        <span>{problem?.status === 0 ? t("state.unreachableText") : isStale(error) ? t("state.changed") : messageOf(error)}</span>
        {reasons.length > 1 && <ul>{reasons.map((reason) => <li key={reason.code}>{inWords(reason.message, reason.code)}</li>)}</ul>}
        {problem?.requestId && problem.status >= 500 && (
          <span className="tiny">{t("state.requestId", { id: problem.requestId })}</span>
        )}
      </div>
    </div>
  );
}

/** Data with its age, in grey, once it is not kept current any more. */
export function Aged({ fetchedAt, children }: { fetchedAt: number; children: ReactNode }) {
  const { t } = useTranslation();
  const age = useStaleAge(fetchedAt);
  return (
    <>
      {age !== null && (
        <div className="notice tone-need" role="status">
          <Icon name="clock" />
          <span>{t("state.stale", { age: formatAge(age) })}</span>
        </div>
      )}
      <div className={age === null ? undefined : "stale"}>{children}</div>
    </>
  );
}

interface LoadedProps<Data> {
  query: UseQueryResult<Data>;
  skeleton?: ReactNode;
  children: (data: Data) => ReactNode;
}

/** A query's data, drawn after the press that opened the page is answered, or the state it is in instead; data that could not be refreshed is marked. */
export function Loaded<Data>({ query, skeleton, children }: LoadedProps<Data>) {
  const [atOnce] = useState(isFirstLoad);
  const isDrawn = (useDrawn(atOnce || query.data !== undefined) ?? false) && query.data !== undefined;
  useReturn(isDrawn);
  if (query.data !== undefined && isDrawn) return <Aged fetchedAt={query.dataUpdatedAt}>{children(query.data)}</Aged>;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return <>{skeleton ?? <Skeletons />}</>;
}

/** Seconds since the data was fetched, once the live view has been away for 10 s or the data is older; else null. */
function useStaleAge(fetchedAt: number): number | null {
  const status = useLiveStatus();
  const [since, setSince] = useState<number | null>(null);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (status === "live") {
      setSince(null);
      return;
    }
    setSince(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [status]);
  if (status === "live") return null;
  const isLong = since !== null && now - since >= STALE_AFTER;
  const isOld = status === "offline" && now - fetchedAt >= STALE_AFTER;
  return isLong || isOld ? Math.max(0, Math.round((now - fetchedAt) / 1000)) : null;
}

export function LiveBadge() {
  const { t } = useTranslation();
  const status = useLiveStatus();
  const tone = { live: "done", reconnecting: "need", offline: "fail" } as const;
  const age = useAway(status === "live");
  return (
    <span className={`pill live tone-${tone[status]}`}>
      <i aria-hidden="true" />
      <span role="status">{t(`live.${status}`)}</span>
      {age !== null && <span className="figures">{t("live.since", { age: formatAge(age) })}</span>}
    </span>
  );
}

/** Seconds since the live view was last current; null while it is. */
function useAway(isLive: boolean): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (isLive) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isLive]);
  const seconds = Math.floor((now - live.currentAt) / 1000);
  return isLive || seconds < 1 ? null : seconds;
}
