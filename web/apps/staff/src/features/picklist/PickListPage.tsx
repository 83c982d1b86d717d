import type { Schemas } from "@luna/api";
import { EmptyState, Icon, Loaded, beep, cleaned, messageOf, useScanner } from "@luna/ui";
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { useNotFound, usePickList, useTicks } from "./queries";

type Line = Schemas["PickRead"];
const NONE: Line[] = [];
interface Result { success: boolean; text: string }

export function PickListPage() {
  const { t } = useTranslation();
  const list = usePickList();
  const lines = list.data ?? NONE;
  const [ticks, tick] = useTicks(lines);
  const [result, setResult] = useState<Result | null>(null); // stays when its line, the last one, is gone
  const notFound = useNotFound();
  const report = (line: Line) =>
    notFound.mutate(line, {
      onSuccess: (task) =>
        setResult(task.status === "CANCELLED" ? { success: false, text: t("pick.noOther", { title: line.book_title }) } : { success: true, text: t("pick.other", { title: line.book_title, code: task.copy_barcode }) }),
      onError: (error) => setResult({ success: false, text: messageOf(error) }),
    });
  useScanner((code) => {
    if (!list.data) return;
    const line = lines.find((each) => cleaned(each.copy_barcode) === code);
    if (line) tick(line.task_id, true);
    beep(!!line);
    setResult(line ? { success: true, text: t("pick.picked", { title: line.book_title }) } : { success: false, text: t("pick.wrong", { code }) });
  });
  return (
    <>
      <Heading title={t("staff.pickList")}><Button variant="default" size="sm" onClick={() => window.print()}>{t("pick.print")}</Button></Heading>
      {result && <div className={`notice tone-${result.success ? "done" : "fail"}`} role="alert"><Icon name={result.success ? "check" : "alert"} />{result.text}</div>}
      <Loaded query={list}>
        {(found) =>
          found.length ? (
            <Walk lines={found} ticks={ticks} onTick={tick} onMissing={report} reporting={notFound.isPending ? notFound.variables.task_id : undefined} />
          ) : (
            <EmptyState icon="check" title={t("pick.none")} text={t("pick.noneText")} />
          )
        }
      </Loaded>
    </>
  );
}

interface WalkProps { lines: Line[]; ticks: Set<string>; onTick: (id: string, picked: boolean) => void; onMissing: (line: Line) => void; reporting?: string }

/** The lines in the server's order; ticks are kept on this device, also without a connection. */
function Walk({ lines, ticks, onTick, onMissing, reporting }: WalkProps) {
  const { t } = useTranslation();
  return (
    <div className="stack">
      <p className="dim" role="status">{t("pick.progress", { picked: ticks.size, total: lines.length })} {t("pick.hint")}</p>
      <ol className="plain picks">
        {lines.map((line, index) => (
          <li key={line.task_id} className={ticks.has(line.task_id) ? "pick picked" : "pick"}>
            <span className="figures dim sequence">{line.sequence ?? index + 1}</span>
            <span className="shelf">{line.shelf_location ?? t("pick.noShelf")}</span>
            <div className="grow">
              <strong>{line.book_title}</strong>
              <p className="small dim">{[line.author, line.call_number, line.copy_barcode].filter(Boolean).join(" · ")}</p>
              <p className="small">{t("pick.floor", { floor: line.floor })} · {t("pick.bring", { place: line.bring_to })}{line.robot_name ? ` · ${line.robot_name}` : ""}{line.claimed_by ? ` · ${line.claimed_by.name}` : ""}</p>
            </div>
            <Button variant="default" size="sm" loading={reporting === line.task_id} onClick={() => onMissing(line)}>{t("pick.notFound")}<span className="visually-hidden"> {line.book_title}</span></Button>
            <label className="tick-row"><input type="checkbox" checked={ticks.has(line.task_id)} onChange={(event) => onTick(line.task_id, event.currentTarget.checked)} />{t("pick.tick")}<span className="visually-hidden">{line.book_title}</span></label>
          </li>
        ))}
      </ol>
    </div>
  );
}
