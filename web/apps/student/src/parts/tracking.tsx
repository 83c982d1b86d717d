// What a request and a return have in common while a robot is on its way: steps, map, arrival.
import type { Schemas } from "@luna/api";
import { formatAge, formatMoment, formatTime } from "@luna/i18n";
import { FloorMap, Icon, stepOf, type MapRobot } from "@luna/ui";
import { useTranslation } from "react-i18next";
import { useFloors, usePlaces } from "./PlacePicker";

type Task = Schemas["TaskSummary"];
type History = Schemas["HistoryRead"][];
export interface Step { key: string; label: string; at: string | null; state: "done" | "now" | "next" }
const SILENT_AFTER = 15; // seconds
type Stage = Schemas["Stage"] | Schemas["TaskStatus"];

/** The moment the task last entered a stage or status; null when it has not yet. */
export function enteredAt(history: History, step: Stage): string | null {
  const found = history.filter((entry) => entry.to_stage === step || (entry.to_status === step && entry.to_stage === null));
  return found.at(-1)?.created_at ?? null;
}

export function Steps({ steps }: { steps: Step[] }) {
  const { t } = useTranslation();
  return (
    <ol className="plain steps">
      {steps.map((step) => (
        <li key={step.key} className={step.state} aria-current={step.state === "now" ? "step" : undefined}>
          <span className="dot">{step.state === "done" && <Icon name="check" size={14} />}</span>
          <span className="grow">{step.label}</span>
          {step.state === "done" && <span className="visually-hidden">{t("track.done")}</span>}
          {step.at && step.state !== "next" && <time className="dim small" dateTime={step.at}>{formatMoment(step.at)}</time>}
        </li>
      ))}
    </ol>
  );
}

/** Mark each step by the one that the task is in. */
export function stepsOf(order: [Stage, string][], task: Task, history: History): Step[] {
  const current = order.findIndex(([stage]) => stage === stepOf(task));
  return order.map(([stage, label], index) => ({
    key: stage,
    label,
    at: enteredAt(history, stage),
    state: task.status === "COMPLETED" || (current >= 0 && index < current) ? "done" : index === current ? "now" : "next",
  }));
}

/** The time of arrival as a range, and in words what delays it. */
export function Arrival({ task }: { task: Task }) {
  const { t } = useTranslation();
  const { eta, eta_earliest: earliest, eta_latest: latest, eta_reason: reason } = task;
  const range = earliest && latest ? [...new Set([formatTime(earliest), formatTime(latest)])].join("–") : eta && formatTime(eta);
  return (
    <div className="arrival">
      <span className="dim">{t("track.arrival")}</span>
      {range ? <time className="eta" dateTime={earliest ?? eta ?? undefined}>{range}</time> : <span className="eta none">{t("track.noEta")}</span>}
      {reason && <p className="row small"><Icon name="clock" size={16} />{t(`track.later.${reason}`)}</p>}
    </div>
  );
}

/** Why nothing moves: no free robot, who is served first, or a stop by staff. */
export function Delays({ task }: { task: Task }) {
  const { t } = useTranslation();
  const { waiting_reason: reason, queue_ahead: ahead, stopped, robot_seen_at: seenAt } = task;
  const silent = seenAt && task.robot_name ? (Date.now() - new Date(seenAt).getTime()) / 1000 : 0;
  return (
    <>
      {stopped && <p className="row"><Icon name="stop" />{t("track.stopped")}</p>}
      {reason && <p>{t(`track.waiting.${reason}`)}</p>}
      {reason && ahead !== null && <p className="dim">{t("track.ahead", { count: ahead })}</p>}
      {silent > SILENT_AFTER && <p className="dim small">{t("track.silent", { age: formatAge(silent) })}</p>}
    </>
  );
}

/** Until when the robot waits, and what happens then. */
export function WaitsUntil({ until, then }: { until: string | null; then: string }) {
  const { t } = useTranslation();
  if (!until) return null;
  return <p className="row nowrap"><Icon name="clock" /><span>{t("track.waitsUntil", { time: formatTime(until) })} {then}</span></p>;
}

/** The robot that comes to this user, and the place it comes to. */
export function TrackMap({ task, place }: { task: Task; place: string }) {
  const { t } = useTranslation();
  const places = usePlaces().data;
  const plans = useFloors().data;
  const target = places?.find((each) => each.name === place || each.location_code === place);
  const position = task.robot_position;
  if (!places || !target) return null;
  const floor = position?.floor ?? target.floor;
  const robots: MapRobot[] = position
    ? [{ id: task.id, name: task.robot_name ?? t("track.robot"), x: position.x, y: position.y, theta: position.theta ?? 0, floor, state: task.stopped ? "stopped" : "normal" }]
    : [];
  return (
    <section className="stack-sm" aria-label={t("track.map")}>
      <FloorMap
        label={t("track.map")} floor={plans?.find((each) => each.floor === floor) ?? null} robots={robots} destination={place}
        places={places.filter((each) => each.floor === floor).map((each) => ({ ...each, code: each.location_code }))}
      />
      <p className="small dim" role="status">
        {position
          ? floor === target.floor ? t("track.sameFloor") : t("track.otherFloor", { floor, target: target.floor })
          : t("track.noPosition")}
      </p>
    </section>
  );
}
