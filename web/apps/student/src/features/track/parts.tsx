import type { Schemas } from "@luna/api";
import { Icon, Refusal, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { WaitsUntil } from "../../parts/tracking";
import { useComplete } from "./queries";

/** The robot is here: the code to show, and the one thing left to do. */
export function HandOver({ request }: { request: Schemas["RequestDetail"] }) {
  const { t } = useTranslation();
  const toast = useToast();
  const complete = useComplete(request.id);
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
      <Refusal error={complete.error} />
      <Button size="xl" fullWidth loading={complete.isPending} onClick={() => complete.mutate(undefined, { onSuccess: () => toast(t("handover.thanks")) })}>
        {t("handover.confirm")}
      </Button>
    </section>
  );
}
