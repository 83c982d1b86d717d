import { Icon, Loaded, Refusal, Skeletons, stepOf, useReason, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../parts/Dialog";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { Arrival, Delays, Steps, stepsOf, TrackMap } from "../../parts/tracking";
import { ChangePlace, HandOver, ReportProblem } from "./parts";
import { useCancel, useRequest, type Request } from "./queries";

export function TrackPage() {
  const { requestId } = useParams({ from: "/app/requests/$requestId" });
  const request = useRequest(requestId);
  return <Loaded query={request} skeleton={<Skeletons count={3} height={160} />}>{(data) => <Track request={data} />}</Loaded>;
}

function Track({ request }: { request: Request }) {
  const { t } = useTranslation();
  const inWords = useReason();
  const step = stepOf(request.task);
  const moving = step === "TO_SOURCE" || step === "TO_DESTINATION" || step === "LOADING" || step === "ASSIGNED";
  const over = request.status === "COMPLETED" || request.status === "CANCELLED";
  const steps = stepsOf(
    [
      ["QUEUED", t("track.step.QUEUED")],
      ["TO_SOURCE", t("track.step.TO_SOURCE")],
      ["LOADING", t("track.step.LOADING")],
      ["TO_DESTINATION", t("track.step.TO_DESTINATION")],
      ["HANDOVER", t("track.step.HANDOVER")],
      ["COMPLETED", t("track.step.COMPLETED")],
    ],
    request.task,
    request.history,
  );
  return (
    <div className="stack-lg">
      <ScreenTitle title={request.book_title} back />
      <section className="status-card" aria-live="polite">
        <p className="sentence">{t(`track.now.${step}`, { place: request.request_location })}</p>
        {moving && <Arrival task={request.task} />}
        {!over && <Delays task={request.task} />}
        {request.status === "CANCELLED" && request.cancel_reason && <p className="dim">{inWords(request.cancel_reason)}</p>}
      </section>
      {step === "HANDOVER" && !over && <HandOver request={request} />}
      {request.status === "COMPLETED" && <Link to="/loans" className="main-action"><Icon name="book" />{t("track.toLoans")}</Link>}
      {!over && <TrackMap task={request.task} place={request.request_location} />}
      {request.status !== "CANCELLED" && <Steps steps={steps} />}
      <p className="dim small">{t("track.reference", { reference: request.task.reference })}</p>
      {!over && <ChangePlace request={request} />}
      {!over && <Cancel request={request} />}
      {(!over || request.status === "COMPLETED") && <ReportProblem requestId={request.id} />}
    </div>
  );
}

function Cancel({ request }: { request: Request }) {
  const { t } = useTranslation();
  const toast = useToast();
  const [opened, dialog] = useDisclosure(false);
  const cancel = useCancel(request);
  return (
    <>
      <Button variant="default" size="lg" onClick={dialog.open}>{t("track.cancel")}</Button>
      <Dialog opened={opened} onClose={dialog.close} title={t("track.cancelTitle")}>
        <p>{t("track.cancelText")}</p>
        <Refusal error={cancel.error} />
        <Button
          color="red.9" size="lg" loading={cancel.isPending}
          onClick={() => cancel.mutate(undefined, { onSuccess: () => { dialog.close(); toast(t("track.cancelled"), "wait"); } })}
        >
          {t("track.cancelYes")}
        </Button>
        <Button variant="default" size="lg" onClick={dialog.close}>{t("track.cancelNo")}</Button>
      </Dialog>
    </>
  );
}
