import { formatMoment, formatPercent } from "@luna/i18n";
import { Icon, Loaded, Refusal, TaskPill, useStop, useToast, type Robot } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useDirect, useResumeRobot, useRobotErrors, useRobotLogs, useRobotTask, useRobotTasks, type Action } from "./queries";

export function RobotDetail({ robot }: { robot: Robot }) {
  const { t } = useTranslation();
  const { stopOne } = useStop();
  const errors = useRobotErrors(robot.id);
  const task = useRobotTask(robot.current_task_id).data;
  return (
    <section className="card stack" aria-label={robot.robot_name}>
      <div className="between">
        <h2>{robot.robot_name}</h2>
        {!robot.stopped && <button type="button" className="stop-one" onClick={() => stopOne(robot.id)}><Icon name="stop" />{t("stop.one", { name: robot.robot_name })}</button>}
      </div>
      <dl className="facts">
        <div><dt>{t("robot.place")}</dt><dd>{robot.current_location ?? t("robot.onTheWay")}</dd></div>
        <div><dt>{t("robot.battery")}</dt><dd>{robot.battery_level === null ? t("robot.noBattery") : formatPercent(robot.battery_level)}{robot.charging ? `, ${t("robot.charging")}` : ""}</dd></div>
        {robot.speed !== null && <div><dt>{t("robot.speed")}</dt><dd className="figures">{robot.speed.toFixed(2)} m/s</dd></div>}
        {robot.software_version && <div><dt>{t("robot.software")}</dt><dd>{robot.software_version}</dd></div>}
        {robot.stopped && <div><dt>{t("robot.stopReason")}</dt><dd>{robot.stop_reason ?? t("robot.noReason")}</dd></div>}
      </dl>
      {robot.current_task_id && task && (
        <p className="row"><TaskPill task={task} /><Link to="/" search={{ task: task.id }}>{task.book_title}</Link></p>
      )}
      <ByHand robot={robot} />
      {robot.stopped && <ResumeOne robot={robot} />}
      <History robotId={robot.id} />
      <h3>{t("robot.errors")}</h3>
      <Loaded query={errors}>
        {(found) =>
          found.length ? (
            <ul className="plain rows small">
              {found.map((error) => (
                <li key={error.id}><strong>{error.type}</strong> {error.message} <time className="dim" dateTime={error.created_at}>{formatMoment(error.created_at)}</time></li>
              ))}
            </ul>
          ) : (
            <p className="dim small">{t("robot.noErrors")}</p>
          )
        }
      </Loaded>
    </section>
  );
}

function ByHand({ robot }: { robot: Robot }) {
  const { t } = useTranslation();
  const toast = useToast();
  const direct = useDirect(robot.id);
  const actions: Action[] = ["dock", robot.paused ? "resume-task" : "pause"];
  return (
    <div className="stack-sm">
      <div className="row">
        {actions.map((action) => (
          <Button key={action} variant="default" size="sm" loading={direct.isPending && direct.variables === action} onClick={() => direct.mutate(action, { onSuccess: () => toast(t("robot.directed")) })}>{t(`robot.do.${action}`)}</Button>
        ))}
      </div>
      <Refusal error={direct.error} />
    </div>
  );
}

function ResumeOne({ robot }: { robot: Robot }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const resume = useResumeRobot(robot.id);
  return (
    <form className="raised stack-sm" onSubmit={(event) => { event.preventDefault(); if (!resume.isPending) resume.mutate(reason.trim()); }}>
      {robot.current_task_id && <p className="small">{t("resume.oneDrives")}</p>}
      <TextInput label={t("resume.reason")} required value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <Refusal error={resume.error} />
      <Button type="submit" variant="default" loading={resume.isPending} disabled={!reason.trim()}>{t("resume.one", { name: robot.robot_name })}</Button>
    </form>
  );
}

/** Its deliveries and what it reported: read when they are opened. */
function History({ robotId }: { robotId: string }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState({ tasks: false, logs: false });
  return (
    <>
      <details onToggle={(event) => setOpen({ ...open, tasks: event.currentTarget.open })}>
        <summary>{t("robot.tasks")}</summary>
        {open.tasks && <Tasks robotId={robotId} />}
      </details>
      <details onToggle={(event) => setOpen({ ...open, logs: event.currentTarget.open })}>
        <summary>{t("robot.logs")}</summary>
        {open.logs && <Logs robotId={robotId} />}
      </details>
    </>
  );
}

function Tasks({ robotId }: { robotId: string }) {
  const { t } = useTranslation();
  const tasks = useRobotTasks(robotId);
  return (
    <Loaded query={tasks}>
      {(found) =>
        found.length ? (
          <ul className="plain rows small">
            {found.map((task) => <li key={task.id} className="between"><Link to="/" search={{ task: task.id }}>{task.reference}</Link><span>{task.source_location} → {task.destination_location}</span><TaskPill task={task} /></li>)}
          </ul>
        ) : (
          <p className="dim small">{t("robot.noTasks")}</p>
        )
      }
    </Loaded>
  );
}

function Logs({ robotId }: { robotId: string }) {
  const { t } = useTranslation();
  const logs = useRobotLogs(robotId);
  return (
    <Loaded query={logs}>
      {(found) =>
        found.length ? (
          <ul className="plain rows small">
            {found.map((log) => <li key={log.id} className="between"><time dateTime={log.recorded_at}>{formatMoment(log.recorded_at)}</time><span>{t(`robot.${log.status}`)} · {log.location ?? t("robot.onTheWay")}</span><span className="figures">{log.battery_level === null ? t("robot.noBattery") : formatPercent(log.battery_level)}</span></li>)}
          </ul>
        ) : (
          <p className="dim small">{t("robot.noLogs")}</p>
        )
      }
    </Loaded>
  );
}
