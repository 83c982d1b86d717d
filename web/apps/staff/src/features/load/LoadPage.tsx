import { EmptyState, Loaded } from "@luna/ui";
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { ScanBox, ScanEntries, useScans } from "../../parts/scans";
import { isToLoad, readCopy, useAtDesk, useConfirm, useFindTask, type Task } from "./queries";

export function LoadPage() {
  const { t } = useTranslation();
  const tasks = useAtDesk();
  const confirm = useConfirm();
  const findTask = useFindTask();
  const waiting = tasks.data ?? [];
  const [entries, scan] = useScans(async (code) => {
    const task = await findTask(code);
    if (!task) {
      const { book_title: title, place, copy } = await readCopy(code);
      throw new Error(t("load.unknown", { title, where: place ?? t(`custody.${copy.custody}`) }));
    }
    await confirm.mutateAsync(task);
    return t(isToLoad(task) ? "load.loaded" : "load.received", { title: task.book_title, robot: task.robot_name ?? "" });
  });
  return (
    <>
      <Heading title={t("staff.load")} />
      <div className="columns">
        <section className="stack">
          <ScanBox onScan={scan} label={t("load.scan")} />
          <ScanEntries entries={entries} />
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
