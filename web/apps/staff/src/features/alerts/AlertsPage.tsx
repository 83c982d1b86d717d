import { useUser } from "@luna/api";
import { formatMoment, inWords } from "@luna/i18n";
import { EmptyState, Icon, Loaded, Refusal } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { Pager } from "../../parts/Pager";
import { useAlerts, useChangeAlert, type Alert } from "./queries";

const STATES = ["OPEN", "RESOLVED"] as const;

export function AlertsPage() {
  const { t } = useTranslation();
  const { state = "OPEN", page = 1 } = useSearch({ from: "/app/alerts" });
  const navigate = useNavigate({ from: "/alerts" });
  const alerts = useAlerts(state, page);
  return (
    <>
      <Heading title={t("staff.alerts")}>
        {STATES.map((each) => (
          <button key={each} type="button" className="tab-button" aria-pressed={each === state} onClick={() => void navigate({ search: { state: each === "OPEN" ? undefined : each } })}>{t(`alert.${each}`)}</button>
        ))}
      </Heading>
      <Loaded query={alerts}>
        {({ items, pagination }) =>
          items.length ? (
            <>
              <ul className="plain stack-sm">{items.map((alert) => <AlertRow key={alert.id} alert={alert} />)}</ul>
              <Pager pagination={pagination} onPage={(next) => void navigate({ search: { state, page: next } })} />
            </>
          ) : (
            <EmptyState icon="check" title={t("alert.none")} text={t("alert.noneText")} />
          )
        }
      </Loaded>
    </>
  );
}

function AlertRow({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const times = [alert.count > 1 && t("alert.count", { number: alert.count }), t("alert.since", { time: formatMoment(alert.first_at) }), alert.count > 1 && t("alert.last", { time: formatMoment(alert.last_at) })];
  return (
    <li className={`notice tone-${alert.resolved_at ? "wait" : alert.severity === "CRITICAL" ? "fail" : "need"}`}>
      <Icon name={alert.resolved_at ? "check" : "alert"} />
      <div className="grow stack-sm">
        <strong>{inWords(alert.message, alert.kind)}</strong>
        <p className="small">{times.filter(Boolean).join(" · ")}</p>
        {alert.claimed_by && !alert.resolved_at && <p className="small">{t("alert.owner", { name: alert.claimed_by.name })}</p>}
        {alert.resolved_by && <p className="small">{[t("alert.resolvedBy", { name: alert.resolved_by.name }), alert.resolution].filter(Boolean).join(": ")}</p>}
        {!alert.resolved_at && <ul className="small">{alert.suggested_actions.map((each) => <li key={each.name}>{inWords(each.text)}</li>)}</ul>}
        <p className="row">
          {alert.task_id && <Link to="/" search={{ task: alert.task_id }}>{t("alert.showTask", { reference: alert.task_reference ?? "" })}</Link>}
          {alert.robot_id && <Link to="/map" search={{ robot: alert.robot_id }}>{t("alert.showRobot")}</Link>}
        </p>
        {!alert.resolved_at && <Answers alert={alert} />}
      </div>
    </li>
  );
}

/** Claim, or resolve with a note; the server decides who may. */
function Answers({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const user = useUser();
  const change = useChangeAlert(alert);
  const [resolving, setResolving] = useState(false);
  const [note, setNote] = useState("");
  const others = alert.claimed_by !== null && alert.claimed_by.id !== user.id && user.role !== "ADMIN";
  return (
    <>
      <div className="row">
        {!alert.claimed_by && <Button variant="default" size="sm" loading={change.isPending} onClick={() => change.mutate({ action: "claim" })}>{t("alert.claim")}</Button>}
        {alert.claimed_by && !others && <Button variant="default" size="sm" loading={change.isPending} onClick={() => change.mutate({ action: "release" })}>{t("task.release")}</Button>}
        {!others && !resolving && <Button variant="default" size="sm" onClick={() => setResolving(true)}>{t("alert.resolve")}</Button>}
      </div>
      {resolving && (
        <form className="scan-box" onSubmit={(event) => { event.preventDefault(); if (!change.isPending) change.mutate({ action: "resolve", resolution: note.trim() || null }); }}>
          <TextInput label={t("alert.resolution")} maxLength={500} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
          <Button type="submit" loading={change.isPending}>{t("alert.resolveNow")}</Button>
        </form>
      )}
      <Refusal error={change.error} />
    </>
  );
}
