import type { Schemas } from "@luna/api";
import { formatAge, formatNumber } from "@luna/i18n";
import { EmptyState, Loaded, Refusal, useReason } from "@luna/ui";
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { DateField } from "../../parts/SearchField";
import { Table } from "../../parts/Table";
import { saveFigures, useFigures } from "./queries";

type Figures = Schemas["AnalyticsRead"];
type Phase = "waiting" | "loading" | "travel" | "handover" | "total";
const COUNTS = ["by_status", "by_type", "failures", "by_place", "by_hour"] as const;

export function FiguresPage() {
  const { t } = useTranslation();
  const period = useSearch({ from: "/app/figures" });
  const navigate = useNavigate({ from: "/figures" });
  const figures = useFigures(period);
  const save = useMutation({ mutationFn: () => saveFigures(period) });
  return (
    <>
      <Heading title={t("staff.figures")}>
        <DateField label={t("audit.from")} value={period.from} onChange={(from) => void navigate({ search: { ...period, from }, replace: true })} />
        <DateField label={t("audit.to")} value={period.to} onChange={(to) => void navigate({ search: { ...period, to }, replace: true })} />
        <Button variant="default" size="sm" loading={save.isPending} onClick={() => save.mutate()}>CSV</Button>
      </Heading>
      <Refusal error={save.error} />
      <Loaded query={figures}>
        {(data) => (data.total ? <Tables figures={data} /> : <EmptyState icon="board" title={t("figures.none")} text={t("figures.noneText")} />)}
      </Loaded>
    </>
  );
}

function Tables({ figures }: { figures: Figures }) {
  const { t } = useTranslation();
  const inWords = useReason();
  const names: Partial<Record<(typeof COUNTS)[number], (name: string) => string>> = {
    by_status: (name) => t(`task.${name as Schemas["TaskStatus"]}`), by_type: (name) => t(`type.${name as Schemas["TaskType"]}`), failures: inWords,
  };
  return (
    <div className="stack-lg">
      <p role="status">{t("figures.total", { total: formatNumber(figures.total) })}</p>
      <section className="stack-sm">
        <h2>{t("figures.durations")}</h2>
        <Table label={t("figures.durations")} columns={[t("figures.name"), t("figures.count"), t("figures.median"), t("figures.p95")]}>
          {figures.durations.map((each) => (
            <tr key={each.name}><th scope="row">{t(`phase.${each.name as Phase}`)}</th><td className="figures">{formatNumber(each.count)}</td><td className="figures">{formatAge(each.median)}</td><td className="figures">{formatAge(each.p95)}</td></tr>
          ))}
        </Table>
      </section>
      <section className="stack-sm">
        <h2>{t("figures.robots")}</h2>
        <Table label={t("figures.robots")} columns={[t("fleet.name"), t("figures.count"), t("figures.driving"), t("figures.waiting"), t("figures.charging"), t("figures.fault")]}>
          {figures.robots.map((each) => (
            <tr key={each.id}>
              <th scope="row">{each.robot_name}</th><td className="figures">{formatNumber(each.tasks)}</td>
              {[each.driving_seconds, each.waiting_seconds, each.charging_seconds, each.fault_seconds].map((seconds, index) => <td key={index} className="figures">{formatAge(seconds)}</td>)}
            </tr>
          ))}
        </Table>
      </section>
      <div className="columns">
        {COUNTS.filter((name) => figures[name].length).map((name) => (
          <section key={name} className="stack-sm">
            <h2>{t(`figures.${name}`)}</h2>
            {name === "by_hour" && <Hours counts={figures.by_hour} />}
            <Table label={t(`figures.${name}`)} columns={[t("figures.name"), t("figures.count"), ""]}>
              {figures[name].map((each) => (
                <tr key={each.name}>
                  <th scope="row">{names[name]?.(each.name) ?? each.name}</th><td className="figures">{formatNumber(each.count)}</td>
                  <td className="chart"><i className="share" aria-hidden="true" style={{ width: `${(100 * each.count) / largest(figures[name])}%` }} /></td>
                </tr>
              ))}
            </Table>
          </section>
        ))}
      </div>
    </div>
  );
}

function largest(counts: Schemas["CountRead"][]): number {
  return Math.max(1, ...counts.map((each) => each.count));
}

/** The day's course at a glance; the table below holds the numbers. */
function Hours({ counts }: { counts: Schemas["CountRead"][] }) {
  const { t } = useTranslation();
  const most = largest(counts);
  return (
    <div className="hours" role="img" aria-label={t("figures.chart", { name: t("figures.by_hour") })}>
      {counts.map((each) => <i key={each.name} title={`${each.name}: ${each.count}`} style={{ height: `${(100 * each.count) / most}%` }} />)}
    </div>
  );
}
