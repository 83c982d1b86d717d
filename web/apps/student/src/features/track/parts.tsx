import { Icon, Refusal, useToast } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../parts/Dialog";
import { PlacePicker } from "../../parts/PlacePicker";
import { WaitsUntil } from "../../parts/tracking";
import { isAllowed, useChangePlace, useComplete, useExtend, useReportProblem, type Request } from "./queries";

/** The robot is here: the code to show, and the one thing left to do. */
export function HandOver({ request }: { request: Request }) {
  const { t } = useTranslation();
  const toast = useToast();
  const complete = useComplete(request);
  const extend = useExtend(request);
  return (
    <section className="handover stack" aria-label={t("handover.title")}>
      <div className="row"><Icon name="robot" size={28} /><h2>{t("handover.title")}</h2></div>
      {request.handover_code && (
        <div>
          <p className="small">{t("handover.code")}</p>
          <p className="code figures" aria-label={[...request.handover_code].join(" ")}>{request.handover_code}</p>
        </div>
      )}
      <p>{t("handover.text")}</p>
      <WaitsUntil until={request.task.wait_until} then={t("handover.thenBack")} />
      <Refusal error={complete.error ?? extend.error} />
      <Button size="xl" fullWidth loading={complete.isPending} onClick={() => complete.mutate(undefined, { onSuccess: () => toast(t("handover.thanks")) })}>
        {t("handover.confirm")}
      </Button>
      {isAllowed(request, "EXTEND") && <Button variant="default" size="lg" fullWidth loading={extend.isPending} onClick={() => extend.mutate(undefined, { onSuccess: () => toast(t("handover.extended")) })}>{t("handover.extend")}</Button>}
    </section>
  );
}

/** Another place, as long as the robot has not left with the book. */
export function ChangePlace({ request }: { request: Request }) {
  const { t } = useTranslation();
  const toast = useToast();
  const [opened, dialog] = useDisclosure(false);
  const [place, setPlace] = useState<string | null>(null);
  const change = useChangePlace(request, place);
  if (!isAllowed(request, "CHANGE_PLACE")) return null;
  return (
    <>
      <Button variant="default" size="lg" onClick={dialog.open}>{t("track.changePlace")}</Button>
      <Dialog opened={opened} onClose={dialog.close} title={t("track.changePlace")}>
        <PlacePicker legend={t("request.where")} value={place} onChange={setPlace} />
        <Refusal error={change.error} />
        <Button size="lg" disabled={!place} loading={change.isPending} onClick={() => change.mutate(undefined, { onSuccess: () => { dialog.close(); toast(t("track.placeChanged")); } })}>{t("track.placeConfirm")}</Button>
      </Dialog>
    </>
  );
}

const PROBLEMS = ["WRONG_BOOK", "NO_BOOK", "OTHER"] as const;

/** Something is wrong: staff are alerted, with this request. */
export function ReportProblem({ requestId }: { requestId: string }) {
  const { t } = useTranslation();
  const [kind, setKind] = useState<(typeof PROBLEMS)[number]>("WRONG_BOOK");
  const report = useReportProblem(requestId);
  const submit = (form: FormData) => report.mutate({ kind, text: String(form.get("text") ?? "").trim() || null });
  if (report.isSuccess) return <p className="notice tone-done" role="status"><Icon name="check" />{t("problem.sent")}</p>;
  return (
    <details>
      <summary>{t("problem.title")}</summary>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!report.isPending) submit(new FormData(event.currentTarget)); }}>
        <fieldset className="choice">
          <legend>{t("problem.what")}</legend>
          {PROBLEMS.map((each) => <label key={each} className="chip"><input type="radio" name="kind" checked={kind === each} onChange={() => setKind(each)} />{t(`problem.${each}`)}</label>)}
        </fieldset>
        <TextInput size="md" name="text" label={t("problem.text")} maxLength={500} />
        <Refusal error={report.error} />
        <Button type="submit" variant="default" size="lg" loading={report.isPending}>{t("problem.send")}</Button>
      </form>
    </details>
  );
}
