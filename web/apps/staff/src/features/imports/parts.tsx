import type { Schemas } from "@luna/api";
import { formatMoment, formatNumber } from "@luna/i18n";
import { Loaded, Pill, type IconName, type Tone } from "@luna/ui";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Table } from "../../parts/Table";
import { useImports } from "./queries";

export const STATES: Record<Schemas["ImportState"], [Tone, IconName]> = {
  QUEUED: ["wait", "clock"], RUNNING: ["move", "upload"], SUCCEEDED: ["done", "check"], FAILED: ["fail", "alert"], CANCELLED: ["wait", "cross"],
};

/** The last imports: a run goes on when its page is closed, and is found again here. */
export function RecentImports() {
  const { t } = useTranslation();
  const imports = useImports();
  return (
    <section className="stack-sm">
      <h2>{t("import.recent")}</h2>
      <Loaded query={imports}>
        {(jobs) =>
          jobs.length ? (
            <Table label={t("import.recent")} columns={[t("import.file"), t("accounts.state"), t("import.count"), t("import.when")]}>
              {jobs.map((job) => {
                const [tone, icon] = STATES[job.state];
                return (
                  <tr key={job.id}>
                    <th scope="row"><Link to="/imports/$jobId" params={{ jobId: job.id }}>{job.file_name ?? job.format}</Link></th>
                    <td><span className="row"><Pill tone={tone} icon={icon}>{t(`import.${job.state}`)}</Pill>{job.dry_run && <span className="dim">{t("import.isCheck")}</span>}</span></td>
                    <td className="figures">{formatNumber(job.processed)}</td><td>{formatMoment(job.created_at)}</td>
                  </tr>
                );
              })}
            </Table>
          ) : (
            <p className="dim">{t("import.none")}</p>
          )
        }
      </Loaded>
    </section>
  );
}
