import { Icon, Loaded, Refusal, Skeletons, stepOf, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { Arrival, Delays, Steps, stepsOf, TrackMap, WaitsUntil } from "../../parts/tracking";
import { useReturn, useReturnChange, type Return as Found } from "./queries";

export function ReturnPage() {
  const { returnId } = useParams({ from: "/app/returns/$returnId" });
  const query = useReturn(returnId);
  return <Loaded query={query} skeleton={<Skeletons count={3} height={160} />}>{(data) => <Return found={data} />}</Loaded>;
}

function Return({ found }: { found: Found }) {
  const { t } = useTranslation();
  const step = stepOf(found.task);
  const over = found.status === "COMPLETED" || found.status === "CANCELLED";
  const steps = stepsOf(
    [
      ["QUEUED", t("track.step.QUEUED")],
      ["TO_SOURCE", t("return.step.TO_SOURCE")],
      ["LOADING", t("return.step.LOADING")],
      ["TO_DESTINATION", t("return.step.TO_DESTINATION")],
      ["COMPLETED", t("return.step.COMPLETED")],
    ],
    found.task,
    found.history,
  );
  return (
    <div className="stack-lg">
      <ScreenTitle title={found.book_title} back />
      <section className="status-card" aria-live="polite">
        <p className="sentence">{t(found.status === "CANCELLED" ? "return.now.CANCELLED" : `return.now.${step}`, { place: found.pickup_location })}</p>
        {(step === "TO_SOURCE" || step === "ASSIGNED") && <Arrival task={found.task} />}
        {!over && <Delays task={found.task} />}
        <p className="dim small">{found.picked_up_at ? t("return.ended") : t("return.when")}</p>
      </section>
      {step === "LOADING" && !found.picked_up_at && <PickUp found={found} />}
      {!over && <TrackMap task={found.task} place={found.pickup_location} />}
      {found.status !== "CANCELLED" && <Steps steps={steps} />}
      {!over && !found.picked_up_at && <Cancel found={found} />}
    </div>
  );
}

function PickUp({ found }: { found: Found }) {
  const { t } = useTranslation();
  const toast = useToast();
  const pickUp = useReturnChange(found, "picked-up");
  return (
    <section className="handover stack" aria-label={t("return.here")}>
      <div className="row"><Icon name="robot" size={28} /><h2>{t("return.here")}</h2></div>
      <p>{t("return.put")}</p>
      <WaitsUntil until={found.task.wait_until} then={t("return.thenGone")} />
      <Refusal error={pickUp.error} />
      <Button size="xl" fullWidth loading={pickUp.isPending} onClick={() => pickUp.mutate(undefined, { onSuccess: () => toast(t("return.thanks")) })}>
        {t("return.done")}
      </Button>
    </section>
  );
}

function Cancel({ found }: { found: Found }) {
  const { t } = useTranslation();
  const toast = useToast();
  const cancel = useReturnChange(found, "cancel");
  return (
    <>
      <Refusal error={cancel.error} />
      <Button variant="default" size="lg" loading={cancel.isPending} onClick={() => cancel.mutate(undefined, { onSuccess: () => toast(t("return.cancelled"), "wait") })}>
        {t("return.cancel")}
      </Button>
    </>
  );
}
