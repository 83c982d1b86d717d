import type { Schemas } from "@luna/api";
import { EmptyState, Icon, Loaded, beep, cleaned, messageOf, useScanner } from "@luna/ui";
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { useNotFound, usePickList, useTicks } from "./queries";

type Line = Schemas["PickRead"];
interface Result { success: boolean; text: string }

export function PickListPage() {
  const { t } = useTranslation();
  const list = usePickList();
  return (
    <>
      <Heading title={t("staff.pickList")}><Button variant="default" size="sm" onClick={() => window.print()}>{t("pick.print")}</Button></Heading>
      <Loaded query={list}>
        {(lines) => (lines.length ? <Walk lines={lines} /> : <EmptyState icon="check" title={t("pick.none")} text={t("pick.noneText")} />)}
      </Loaded>
    </>
  );
}

/** The lines in the server's order; ticks are kept on this device, also without a connection. */
function Walk({ lines }: { lines: Line[] }) {
  const { t } = useTranslation();
  const [ticks, tick] = useTicks(lines.map((line) => line.task_id));
  const [result, setResult] = useState<Result | null>(null);
  const notFound = useNotFound();
  const report = (line: Line) =>
    notFound.mutate(line.task_id, {
      onSuccess: (task) =>
        setResult(task.status === "CANCELLED" ? { success: false, text: t("pick.noOther", { title: line.book_title }) } : { success: true, text: t("pick.other", { title: line.book_title, code: task.copy_barcode }) }),
      onError: (error) => setResult({ success: false, text: messageOf(error) }),
    });
  useScanner((code) => {
    const line = lines.find((each) => cleaned(each.copy_barcode) === code);
    if (line) tick(line.task_id, true);
    beep(!!line);
    setResult(line ? { success: true, text: t("pick.picked", { title: line.book_title }) } : { success: false, text: t("pick.wrong", { code }) });
  });
  return (
    <div className="stack">
      <p className="dim" role="status">{t("pick.progress", { picked: ticks.size, total: lines.length })} {t("pick.hint")}</p>
      {result && <div className={`notice tone-${result.success ? "done" : "fail"}`} role="alert"><Icon name={result.success ? "check" : "alert"} />{result.text}</div>}
      <ol className="plain picks">
        {lines.map((line, index) => (
          <li key={line.task_id} className={ticks.has(line.task_id) ? "pick picked" : "pick"}>
            <span className="figures dim sequence">{line.sequence ?? index + 1}</span>
            <span className="shelf">{line.shelf_location ?? t("pick.noShelf")}</span>
            <div className="grow">
              <strong>{line.book_title}</strong>
              <p className="small dim">{[line.author, line.call_number, line.copy_barcode].filter(Boolean).join(" · ")}</p>
              <p className="small">{t("pick.floor", { floor: line.floor })} · {t("pick.bring", { place: line.bring_to })}{line.robot_name ? ` · ${line.robot_name}` : ""}</p>
            </div>
            <Button variant="default" size="sm" loading={notFound.isPending && notFound.variables === line.task_id} onClick={() => report(line)}>{t("pick.notFound")}<span className="visually-hidden"> {line.book_title}</span></Button>
            <label className="tick-row"><input type="checkbox" checked={ticks.has(line.task_id)} onChange={(event) => tick(line.task_id, event.currentTarget.checked)} />{t("pick.tick")}<span className="visually-hidden">{line.book_title}</span></label>
          </li>
        ))}
      </ol>
    </div>
  );
}
