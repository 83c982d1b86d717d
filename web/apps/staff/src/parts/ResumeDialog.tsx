// Ending the stop is deliberate: a reason, a checked area, and the names of those that drive on at once.
import { api, dataOf } from "@luna/api";
import { Icon, Refusal, useRobots, useToast, type Robot } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "./Dialog";

const stoppedOnes = (robots: Robot[]) => robots.filter((robot) => robot.stopped);

export function ResumeDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [checked, setChecked] = useState(false);
  const stopped = useRobots(stoppedOnes).data ?? [];
  const driving = stopped.filter((robot) => robot.current_task_id !== null);
  const resume = useMutation({
    mutationFn: () => dataOf(api.POST("/api/v1/robot/resume", { body: { reason: reason.trim() } })),
    onSuccess: () => {
      setReason("");
      setChecked(false);
      toast(t("resume.done"));
      onClose();
    },
    onSettled: () => void client.invalidateQueries({ queryKey: ["robots"] }),
  });
  return (
    <Dialog opened={opened} onClose={onClose} title={t("resume.title")}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!resume.isPending) resume.mutate(); }}>
        {driving.length > 0 ? (
          <div className="notice tone-need">
            <Icon name="alert" />
            <div>
              <strong>{t("resume.driveOn")}</strong>
              <ul>{driving.map((robot) => <li key={robot.id}>{robot.robot_name}{robot.current_location ? `, ${robot.current_location}` : ""}</li>)}</ul>
              <p>{t("resume.before")} {driving.map((robot) => <Link key={robot.id} to="/" search={{ task: robot.current_task_id ?? undefined }} onClick={onClose}>{t("resume.showTask", { name: robot.robot_name })}</Link>)}</p>
            </div>
          </div>
        ) : (
          <p>{t("resume.noneDrive")}</p>
        )}
        <TextInput size="md" label={t("resume.reason")} required maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <label className="tick-row"><input type="checkbox" required checked={checked} onChange={(event) => setChecked(event.currentTarget.checked)} />{t("resume.checked")}</label>
        <Refusal error={resume.error} />
        <Button type="submit" size="md" disabled={!checked || !reason.trim()} loading={resume.isPending}>{t("resume.confirm")}</Button>
      </form>
    </Dialog>
  );
}
