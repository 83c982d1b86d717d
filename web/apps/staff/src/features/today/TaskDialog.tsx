import type { Schemas } from "@luna/api";
import { formatMoment } from "@luna/i18n";
import { Loaded, Refusal, stepOf, TaskPill, useReason, useToast } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../parts/Dialog";
import { useChangeTask, useTask, type Change, type Detail } from "./queries";

const PRIORITIES = ["LOW", "NORMAL", "HIGH", "URGENT"] as const;

export function TaskDialog({ taskId, onClose }: { taskId: string | undefined; onClose: () => void }) {
  const { t } = useTranslation();
  const task = useTask(taskId);
  return (
    <Dialog opened={taskId !== undefined} onClose={onClose} title={task.data?.book_title ?? t("task.title")} size="lg">
      <Loaded query={task}>{(data) => <Task task={data} />}</Loaded>
    </Dialog>
  );
}

function Task({ task }: { task: Detail }) {
  const { t } = useTranslation();
  const inWords = useReason();
  const facts = [
    [t("task.reference"), task.reference],
    [t("task.from"), task.source_location],
    [t("task.to"), task.destination_location],
    [t("task.barcode"), task.copy_barcode],
    [t("task.robot"), task.robot_name],
    [t("task.eta"), task.eta && formatMoment(task.eta)],
    [t("task.created"), formatMoment(task.created_at)],
    [t("task.requester"), task.requester?.name],
    [t("task.claimedBy"), task.claimed_by?.name],
    [t("task.failure"), task.failure_reason && inWords(task.failure_reason)],
    [t("task.bookAt"), task.book_location && inWords(task.book_location)],
    [t("task.notes"), task.notes],
  ].filter(([, value]) => value);
  return (
    <div className="stack">
      <p className="row"><TaskPill task={task} /><span className="dim small">{t(`type.${task.task_type}`)}</span></p>
      <dl className="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <Actions task={task} />
      <details>
        <summary>{t("task.history")}</summary>
        <ol className="plain history">
          {task.history.map((entry, index) => (
            <li key={index}>
              <time className="dim" dateTime={entry.created_at}>{formatMoment(entry.created_at)}</time>
              <span>{t(`task.${stepOf({ status: entry.to_status, stage: entry.to_stage })}`)}</span>
              {entry.reason && <span className="dim">{inWords(entry.reason)}</span>}
            </li>
          ))}
        </ol>
      </details>
    </div>
  );
}

function Actions({ task }: { task: Detail }) {
  const { t } = useTranslation();
  const toast = useToast();
  const change = useChangeTask(task);
  const [asking, setAsking] = useState<"cancel" | "fail" | null>(null);
  const may = (name: string) => task.actions.some((each) => each.name === name && each.allowed);
  const act = (next: Change) => change.mutate(next, { onSuccess: () => { setAsking(null); toast(t("task.changed")); } });
  if (task.status === "COMPLETED" || task.status === "CANCELLED") return null;
  const plain = [
    ["BOOK_PLACED", "book-placed", "task.placed"], ["COMPLETE", "complete", "task.complete"], ["RETRY", "retry", "task.retry"],
    ["CLAIM", "claim", "task.claim"], ["RELEASE", "release", "task.release"], ["REASSIGN", "reassign", "task.reassign"],
  ] as const;
  return (
    <div className="stack">
      <div className="row">
        {plain.map(([name, action, label], index) => may(name) && <Button key={name} variant={index < 3 ? "filled" : "default"} loading={change.isPending} onClick={() => act({ action })}>{t(label)}</Button>)}
        {may("CANCEL") && <Button variant="default" onClick={() => setAsking("cancel")}>{t("task.cancel")}</Button>}
        {may("FAIL") && <Button variant="default" onClick={() => setAsking("fail")}>{t("task.fail")}</Button>}
      </div>
      <label className="field">
        {t("task.priority")}
        <select value={task.priority} onChange={(event) => act({ action: "priority", priority: event.target.value as Schemas["Priority"] })}>
          {PRIORITIES.map((each) => <option key={each} value={each}>{t(`priority.${each}`)}</option>)}
        </select>
      </label>
      {asking && <GiveUp kind={asking} onSend={act} onBack={() => setAsking(null)} />}
      <Refusal error={change.error} />
    </div>
  );
}

function GiveUp({ kind, onSend, onBack }: { kind: "cancel" | "fail"; onSend: (change: Change) => void; onBack: () => void }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const [place, setPlace] = useState("");
  const submit = () => {
    const book_location = place.trim() || null;
    onSend(kind === "cancel" ? { action: "cancel", book_location } : { action: "fail", reason: reason.trim(), book_location });
  };
  return (
    <form className="raised stack" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <h3>{t(`task.${kind}`)}</h3>
      {kind === "fail" && <TextInput label={t("task.reason")} required value={reason} onChange={(event) => setReason(event.currentTarget.value)} />}
      <TextInput label={t("task.whereIsBook")} description={t("task.whereHint")} value={place} onChange={(event) => setPlace(event.currentTarget.value)} />
      <div className="row">
        <Button type="submit" color="red.9">{t(`task.${kind}`)}</Button>
        <Button variant="default" onClick={onBack}>{t("action.back")}</Button>
      </div>
    </form>
  );
}
