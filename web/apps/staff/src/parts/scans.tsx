// Scanning at a desk: the field for codes, and what became of each scan, in order.
import { formatTime, inWords } from "@luna/i18n";
import { ApiProblem } from "@luna/api";
import { Icon, beep, cleaned, messageOf, useScanner } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { CameraButton } from "./Camera";

export interface Entry { id: number; code: string; success: boolean | null; text: string; at: string; error: unknown }
const MAX_ENTRIES = 30;

/** Answer scans one after the other, each as it was meant when it was scanned: none is lost when they come faster than answers. */
export function useScans(answer: (code: string) => Promise<string>): [Entry[], (code: string) => void] {
  const { t } = useTranslation();
  const [entries, setEntries] = useState<Entry[]>([]);
  const queue = useRef<Promise<void>>(Promise.resolve());
  const latest = useRef(answer);
  useEffect(() => {
    latest.current = answer;
  });
  const scan = useCallback(
    (scanned: string) => {
      const code = cleaned(scanned);
      const id = Date.now() + Math.random();
      const finish = (success: boolean, text: string, error: unknown = null) => {
        beep(success);
        setEntries((before) => before.map((entry) => (entry.id === id ? { ...entry, success, text, error } : entry)));
      };
      setEntries((before) => [{ id, code, success: null, text: t("load.sending"), at: new Date().toISOString(), error: null }, ...before].slice(0, MAX_ENTRIES));
      const answerNow = latest.current; // whoever is served next, this scan belongs to who is served now
      queue.current = queue.current.then(() => answerNow(code)).then((text) => finish(true, text), (error: unknown) => finish(false, textOf(error), error));
    },
    [t],
  );
  return [entries, scan];
}

/** All reasons of a refusal, else its message. */
function textOf(error: unknown): string {
  const reasons = error instanceof ApiProblem ? error.reasons : [];
  return reasons.length ? reasons.map((reason) => inWords(reason.message, reason.code)).join(" ") : messageOf(error);
}

export function ScanEntries({ entries, children }: { entries: Entry[]; children?: (entry: Entry) => ReactNode }) {
  const { t } = useTranslation();
  return (
    <ol className="plain scans" aria-label={t("load.scans")} aria-live="assertive">
      {entries.map((entry) => (
        <li key={entry.id} className={`notice tone-${entry.success === null ? "wait" : entry.success ? "done" : "fail"}`}>
          <Icon name={entry.success === null ? "clock" : entry.success ? "check" : "alert"} />
          <div className="grow stack-sm"><span><strong className="figures">{entry.code}</strong> {entry.text}</span>{children?.(entry)}</div>
          <time className="tiny">{formatTime(entry.at)}</time>
        </li>
      ))}
    </ol>
  );
}

export function ScanBox({ onScan, label }: { onScan: (code: string) => void; label: string }) {
  const { t } = useTranslation();
  const [code, setCode] = useState("");
  useScanner((scanned) => {
    setCode("");
    onScan(scanned);
  });
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
        size="lg" label={label} description={t("load.scanHint")} leftSection={<Icon name="scan" />} autoComplete="off" spellCheck={false}
        value={code} onChange={(event) => setCode(event.currentTarget.value)}
      />
      <Button type="submit" size="lg">{t("load.enter")}</Button>
      <CameraButton onScan={onScan} />
    </form>
  );
}
