import { formatTime } from "@luna/i18n";
import { EmptyState, Icon, Loaded, beep, cleaned, messageOf, useScanner } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { isToLoad, useAtDesk, useConfirm, type Task } from "./queries";

interface Entry { id: number; code: string; success: boolean | null; text: string; at: string }
const MAX_ENTRIES = 30;

export function LoadPage() {
  const { t } = useTranslation();
  const tasks = useAtDesk();
  const [entries, scan] = useScans(tasks.data ?? []);
  useScanner(scan);
  const waiting = tasks.data ?? [];
  return (
    <>
      <Heading title={t("staff.load")} />
      <div className="columns">
        <section className="stack">
          <ScanBox onScan={scan} />
          <ol className="plain scans" aria-label={t("load.scans")} aria-live="assertive">
            {entries.map((entry) => (
              <li key={entry.id} className={`notice tone-${entry.success === null ? "wait" : entry.success ? "done" : "fail"}`}>
                <Icon name={entry.success === null ? "clock" : entry.success ? "check" : "alert"} />
                <span className="grow"><strong className="figures">{entry.code}</strong> {entry.text}</span>
                <time className="tiny">{formatTime(entry.at)}</time>
              </li>
            ))}
          </ol>
        </section>
        <Loaded query={tasks}>
          {() => (
            <div className="stack">
              <Robots title={t("load.toLoad")} tasks={waiting.filter(isToLoad)} onConfirm={(task) => scan(task.copy_barcode)} label={t("task.placed")} />
              <Robots title={t("load.toReceive")} tasks={waiting.filter((task) => !isToLoad(task))} onConfirm={(task) => scan(task.copy_barcode)} label={t("task.complete")} />
              {!waiting.length && <EmptyState icon="robot" title={t("load.none")} text={t("load.noneText")} />}
            </div>
          )}
        </Loaded>
      </div>
    </>
  );
}

/** Scans are answered one by one, in order: none is lost when they come faster than answers. */
function useScans(tasks: Task[]): [Entry[], (code: string) => void] {
  const { t } = useTranslation();
  const confirm = useConfirm();
  const [entries, setEntries] = useState<Entry[]>([]);
  const finish = (id: number, success: boolean, text: string) => {
    beep(success);
    setEntries((before) => before.map((entry) => (entry.id === id ? { ...entry, success, text } : entry)));
  };
  const scan = (scanned: string) => {
    const code = cleaned(scanned);
    const id = Date.now() + Math.random();
    setEntries((before) => [{ id, code, success: null, text: t("load.sending"), at: new Date().toISOString() }, ...before].slice(0, MAX_ENTRIES));
    const task = tasks.find((each) => cleaned(each.copy_barcode) === code);
    if (!task) return finish(id, false, t("load.unknown"));
    const text = t(isToLoad(task) ? "load.loaded" : "load.received", { title: task.book_title, robot: task.robot_name ?? "" });
    confirm.mutateAsync(task).then(() => finish(id, true, text), (error: unknown) => finish(id, false, messageOf(error)));
  };
  return [entries, scan];
}

function ScanBox({ onScan }: { onScan: (code: string) => void }) {
  const { t } = useTranslation();
  const [code, setCode] = useState("");
  useScanner(() => setCode("")); // the scan itself is answered by the page
  return (
    <form
      className="scan-box"
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim()) onScan(code);
        setCode("");
      }}
    >
      <TextInput
        size="lg" label={t("load.scan")} description={t("load.scanHint")} leftSection={<Icon name="scan" />} autoComplete="off" spellCheck={false}
        value={code} onChange={(event) => setCode(event.currentTarget.value)}
      />
      <Button type="submit" size="lg">{t("load.enter")}</Button>
    </form>
  );
}

function Robots({ title, tasks, onConfirm, label }: { title: string; tasks: Task[]; onConfirm: (task: Task) => void; label: string }) {
  if (!tasks.length) return null;
  return (
    <section className="stack-sm">
      <h2>{title}</h2>
      <ul className="plain rows">
        {tasks.map((task) => (
          <li key={task.id} className="between">
            <div className="grow">
              <strong>{task.robot_name}</strong> <span className="dim">{task.stage === "LOADING" ? task.source_location : task.destination_location}</span>
              <p>{task.book_title} <span className="dim figures">{task.copy_barcode}</span></p>
            </div>
            <Button variant="default" onClick={() => onConfirm(task)}>{label}</Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
