import { formatMoment } from "@luna/i18n";
import { EmptyState, Icon, Loaded, Pill, Refusal, useToast } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../parts/Dialog";
import { Heading } from "../../parts/Heading";
import { Table } from "../../parts/Table";
import { RobotAdministration } from "./parts";
import { useFleet, useRegisterRobot, type Robot } from "./queries";

export function FleetPage() {
  const { t } = useTranslation();
  const { robot: chosen } = useSearch({ from: "/app/fleet" });
  const navigate = useNavigate({ from: "/fleet" });
  const [adding, setAdding] = useState(false);
  const fleet = useFleet();
  const open = (robot?: string) => void navigate({ search: { robot } });
  const robot = fleet.data?.find((each) => each.id === chosen);
  return (
    <>
      <Heading title={t("staff.fleet")}>
        <Button size="sm" leftSection={<Icon name="plus" size={18} />} onClick={() => setAdding(true)}>{t("fleet.add")}</Button>
      </Heading>
      <Loaded query={fleet}>
        {(robots) =>
          robots.length ? <Robots robots={robots} onOpen={open} /> : <EmptyState icon="robot" title={t("map.noRobots")} text={t("map.noRobotsText")} />
        }
      </Loaded>
      <Dialog opened={adding} onClose={() => setAdding(false)} title={t("fleet.add")}>
        <NewRobot onDone={(id) => { setAdding(false); open(id); }} />
      </Dialog>
      <Dialog opened={robot !== undefined} onClose={() => open()} title={robot?.robot_name ?? ""} size="lg">
        {robot && <RobotAdministration key={robot.id} robot={robot} onRetired={() => open()} />}
      </Dialog>
    </>
  );
}

function Robots({ robots, onOpen }: { robots: Robot[]; onOpen: (id: string) => void }) {
  const { t } = useTranslation();
  return (
    <Table label={t("staff.fleet")} columns={[t("fleet.name"), t("fleet.model"), t("robot.software"), t("accounts.state"), t("fleet.since")]}>
      {robots.map((robot) => (
        <tr key={robot.id}>
          <th scope="row"><button type="button" className="link-button" onClick={() => onOpen(robot.id)}>{robot.robot_name}</button></th>
          <td>{robot.model}</td><td>{robot.software_version}</td>
          <td>{robot.status === "MAINTENANCE" ? <Pill tone="need" icon="edit">{t("robot.MAINTENANCE")}</Pill> : <Pill tone="done" icon="check">{t("fleet.inService")}</Pill>}</td>
          <td>{formatMoment(robot.created_at)}</td>
        </tr>
      ))}
    </Table>
  );
}

function NewRobot({ onDone }: { onDone: (id: string) => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const register = useRegisterRobot();
  const submit = (form: FormData) =>
    register.mutate(
      { robot_name: String(form.get("name")).trim(), model: String(form.get("model")).trim() || null },
      { onSuccess: (robot) => { toast(t("fleet.added")); onDone(robot.id); } },
    );
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!register.isPending) submit(new FormData(event.currentTarget)); }}>
      <TextInput name="name" label={t("fleet.name")} required maxLength={100} />
      <TextInput name="model" label={t("fleet.model")} maxLength={100} />
      <Refusal error={register.error} />
      <div className="row"><Button type="submit" loading={register.isPending}>{t("fleet.add")}</Button></div>
    </form>
  );
}
