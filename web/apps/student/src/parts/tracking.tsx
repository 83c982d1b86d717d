// What a request and a return have in common while a robot is on its way: steps, map, arrival.
import type { Schemas } from "@luna/api";
import { formatMoment, formatTime } from "@luna/i18n";
import { FloorMap, Icon, stepOf, type MapRobot } from "@luna/ui";
import { useTranslation } from "react-i18next";
import { usePlaces } from "./PlacePicker";

type Task = Schemas["TaskSummary"];
type History = Schemas["HistoryRead"][];
export interface Step { key: string; label: string; at: string | null; state: "done" | "now" | "next" }
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

export function Arrival({ eta }: { eta: string | null }) {
  const { t } = useTranslation();
  return (
    <div className="arrival">
      <span className="dim">{t("track.arrival")}</span>
      {eta ? <time className="eta" dateTime={eta}>{formatTime(eta)}</time> : <span className="eta none">{t("track.noEta")}</span>}
    </div>
  );
}

/** The robot that comes to this user, and the place it comes to. */
export function TrackMap({ task, place }: { task: Task; place: string }) {
  const { t } = useTranslation();
  const places = usePlaces().data;
  const target = places?.find((each) => each.name === place || each.location_code === place);
  const position = task.robot_position;
  if (!places || !target) return null;
  const floor = position?.floor ?? target.floor;
  const robots: MapRobot[] = position
    ? [{ id: task.id, name: t("track.robot"), x: position.x, y: position.y, theta: position.theta ?? 0, floor, state: "normal" }]
    : [];
  return (
    <section className="stack-sm" aria-label={t("track.map")}>
      <FloorMap
        label={t("track.map")} floor={null} robots={robots} destination={place}
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
