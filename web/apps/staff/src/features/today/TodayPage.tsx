import { formatAge, formatTime } from "@luna/i18n";
import { EmptyState, Icon, Loaded, Pill, Skeletons, stepOf, TaskPill } from "@luna/ui";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { memo, useCallback, useDeferredValue, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { SearchField } from "../../parts/SearchField";
import { TaskDialog } from "./TaskDialog";
import { useOpenTasks, type Task } from "./queries";

const LANES = {
  waiting: ["PENDING", "QUEUED"],
  coming: ["ASSIGNED", "IN_PROGRESS", "TO_SOURCE"],
  loading: ["LOADING"],
  moving: ["TO_DESTINATION", "HANDOVER", "BRINGING_BACK"],
  attention: ["FAILED"],
} as const;
type Lane = keyof typeof LANES;
const ORDER: Lane[] = ["attention", "loading", "waiting", "coming", "moving"];
const FIRST_CARDS = 12; // of a lane, more than a screen shows: they are drawn first, the others right after

export function TodayPage() {
  const { t } = useTranslation();
  const { task, q } = useSearch({ from: "/app/" });
  const navigate = useNavigate({ from: "/" });
  const tasks = useOpenTasks();
  const open = useCallback((id?: string) => void navigate({ search: (before) => ({ ...before, task: id }), replace: id === undefined }), [navigate]);
  return (
    <>
      <Heading title={t("staff.today")}>
        <SearchField label={t("today.filter")} value={q} onChange={(text) => void navigate({ search: (before) => ({ ...before, q: text }), replace: true })} />
      </Heading>
      <Loaded query={tasks} skeleton={<Skeletons count={3} height={120} />}>
        {(found) =>
          found.length ? <Board tasks={found} filter={q ?? ""} onOpen={open} /> : <EmptyState icon="check" title={t("today.none")} text={t("today.noneText")} />
        }
      </Loaded>
      <TaskDialog taskId={task} onClose={() => open()} />
    </>
  );
}

function Board({ tasks, filter, onOpen }: { tasks: Task[]; filter: string; onOpen: (id: string) => void }) {
  const { t } = useTranslation();
  const now = useNow();
  const count = useDeferredValue(Infinity, FIRST_CARDS);
  const lanes = useMemo(() => byLane(tasks, filter), [tasks, filter]);
  return (
    <div className="board">
      {ORDER.map((lane) => (
        <section key={lane} className={`lane ${lane}`} aria-labelledby={`lane-${lane}`}>
          <h2 id={`lane-${lane}`}>{t(`lane.${lane}`)} <span className="figures dim">{lanes[lane].length}</span></h2>
          <ul className="plain cards">
            {lanes[lane].slice(0, count).map((task) => <Card key={task.id} task={task} age={minutes(task, now)} onOpen={onOpen} />)}
          </ul>
          {!lanes[lane].length && <p className="dim small lane-empty">{t("lane.empty")}</p>}
        </section>
      ))}
    </div>
  );
}

const Card = memo(function Card({ task, age, onOpen }: { task: Task; age: number; onOpen: (id: string) => void }) {
  const { t } = useTranslation();
  const urgent = task.priority === "URGENT" || task.priority === "HIGH";
  return (
    <li className="task-card">
      <button type="button" className="card-button" onClick={() => onOpen(task.id)}>{task.book_title}</button>
      <p className="small dim route">{task.source_location} <Icon name="arrow" size={14} /> {task.destination_location}</p>
      <p className="row">
        <TaskPill task={task} />
        {task.claimed_by && <Pill tone="move" icon="person">{task.claimed_by.name}</Pill>}
        {urgent && <Pill tone="need" icon="alert">{t(`priority.${task.priority}`)}</Pill>}
      </p>
      {task.waiting_reason && <p className="tiny dim">{t(`waiting.${task.waiting_reason}`)}</p>}
      <p className="meta tiny dim">
        <span>{task.reference}{task.robot_name ? ` · ${task.robot_name}` : ""}</span>
        <span className="figures">{task.eta && task.status !== "FAILED" ? t("track.about", { time: formatTime(task.eta) }) : t("today.age", { age: formatAge(age * 60) })}</span>
      </p>
    </li>
  );
});

function minutes(task: Task, now: number): number {
  return Math.max(0, Math.floor((now - new Date(task.created_at).getTime()) / 60_000));
}

function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function byLane(tasks: Task[], filter: string): Record<Lane, Task[]> {
  const lanes: Record<Lane, Task[]> = { waiting: [], coming: [], loading: [], moving: [], attention: [] };
  const wanted = filter.toLocaleLowerCase();
  for (const task of tasks) {
    const text = wanted && `${task.book_title} ${task.reference} ${task.destination_location} ${task.robot_name ?? ""} ${task.copy_barcode}`.toLocaleLowerCase();
    const step: string = stepOf(task);
    const lane = ORDER.find((each) => (LANES[each] as readonly string[]).includes(step));
    if (lane && text.includes(wanted)) lanes[lane].push(task);
  }
  return lanes;
}
