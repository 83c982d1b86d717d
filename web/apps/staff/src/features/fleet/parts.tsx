import { formatMoment } from "@luna/i18n";
import { Icon, Refusal, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMaintenance, useRetireRobot, useSecret, type Robot, type Secret } from "./queries";

export function RobotAdministration({ robot, onRetired }: { robot: Robot; onRetired: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const [asking, setAsking] = useState(false);
  const maintenance = useMaintenance(robot.id);
  const secret = useSecret(robot.id);
  const retire = useRetireRobot(robot.id);
  const inMaintenance = robot.status === "MAINTENANCE";
  return (
    <div className="stack">
      <div className="row">
        <Button variant="default" loading={maintenance.isPending} onClick={() => maintenance.mutate(!inMaintenance)}>{t(inMaintenance ? "fleet.backToService" : "fleet.toMaintenance")}</Button>
        <Button variant="default" loading={secret.isPending} onClick={() => secret.mutate("code")}>{t("fleet.newCode")}</Button>
        <Button variant="default" loading={secret.isPending} onClick={() => secret.mutate("key")}>{t("fleet.newKey")}</Button>
        {!asking && <Button variant="default" onClick={() => setAsking(true)}>{t("fleet.retire")}</Button>}
      </div>
      {secret.data && <ShownOnce secret={secret.data} />}
      {asking && (
        <div className="raised stack-sm">
          <p>{t("fleet.retireText")}</p>
          <div className="row">
            <Button color="red.9" loading={retire.isPending} onClick={() => retire.mutate(undefined, { onSuccess: () => { toast(t("fleet.retired"), "wait"); onRetired(); } })}>{t("fleet.retireYes")}</Button>
            <Button variant="default" onClick={() => setAsking(false)}>{t("action.back")}</Button>
          </div>
        </div>
      )}
      <Refusal error={maintenance.error ?? secret.error ?? retire.error} />
    </div>
  );
}

/** It is nowhere after this dialog is closed: LUNA keeps only its hash. */
function ShownOnce({ secret }: { secret: Secret }) {
  const { t } = useTranslation();
  const toast = useToast();
  const copy = () => navigator.clipboard.writeText(secret.value).then(() => toast(t("fleet.copied")), () => undefined);
  return (
    <div className="notice tone-need" role="status">
      <Icon name="lock" />
      <div className="grow stack-sm">
        <strong>{t(`fleet.once.${secret.kind}`)}</strong>
        <code className="secret">{secret.value}</code>
        {secret.expiresAt && <span className="small">{t("fleet.validUntil", { time: formatMoment(secret.expiresAt) })}</span>}
      </div>
      <Button variant="default" size="sm" onClick={() => void copy()}>{t("fleet.copy")}</Button>
    </div>
  );
}
