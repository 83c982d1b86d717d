import { formatNumber, inWords } from "@luna/i18n";
import { EmptyState, Icon, Loaded, Pill, Refusal } from "@luna/ui";
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { STATES } from "./parts";
import { isRunning, saveReport, useCancelImport, useJob, useRows, useUndoImport, type Job } from "./queries";

export function ImportJobPage() {
  const { jobId } = useParams({ from: "/app/imports/$jobId" });
  const job = useJob(jobId);
  return <Loaded query={job}>{(data) => <Report job={data} />}</Loaded>;
}

function Report({ job }: { job: Job }) {
  const { t } = useTranslation();
  const cancel = useCancelImport(job.id);
  const undo = useUndoImport(job.id);
  const report = useMutation({ mutationFn: () => saveReport(job.id) });
  const [tone, icon] = STATES[job.state];
  const counts = [
    ["created", job.created], ["updated", job.updated], ["unchanged", job.unchanged], ["failed", job.failed], ["warnings", job.warnings],
  ] as const;
  return (
    <div className="stack-lg">
      <Heading title={job.file_name ?? t("staff.imports")}>
        <Pill tone={tone} icon={icon}>{t(`import.${job.state}`)}</Pill>
        {isRunning(job) && <Button variant="default" size="sm" loading={cancel.isPending} onClick={() => cancel.mutate()}>{t("import.cancel")}</Button>}
        {!isRunning(job) && <Button variant="default" size="sm" loading={report.isPending} onClick={() => report.mutate()}>{t("import.report")}</Button>}
        {!isRunning(job) && !job.dry_run && !job.undone_at && <Button variant="default" size="sm" loading={undo.isPending} onClick={() => undo.mutate()}>{t("import.undo")}</Button>}
      </Heading>
      {job.undone_at && <div className="notice tone-wait" role="status"><Icon name="return" />{undo.data?.length ? t("import.undoneText", { count: undo.data.length }) : t("import.undone")}</div>}
      {job.dry_run && <div className="notice tone-move"><Icon name="check" />{t("import.wasDryRun")}</div>}
      <Refusal error={cancel.error ?? undo.error ?? report.error} />
      {job.problem && <div className="notice tone-fail" role="alert"><Icon name="alert" />{job.problem}</div>}
      {isRunning(job) && <Progress job={job} />}
      <ul className="plain figures counts">
        {counts.map(([name, value]) => <li key={name} className="card"><strong>{formatNumber(value)}</strong><span className="dim">{t(`import.count.${name}`)}</span></li>)}
      </ul>
      <Rows job={job} />
      {job.dry_run && !isRunning(job) && <div className="row"><Link to="/imports" className="button-link">{t("import.again")}</Link></div>}
    </div>
  );
}

function Progress({ job }: { job: Job }) {
  const { t } = useTranslation();
  return (
    <div className="stack-sm">
      <progress value={job.processed} max={job.total ?? undefined} aria-label={t("import.progress")} />
      <p role="status" className="small">{t("import.processed", { processed: formatNumber(job.processed), total: job.total === null ? "?" : formatNumber(job.total) })} {t("import.mayClose")}</p>
    </div>
  );
}

function Rows({ job }: { job: Job }) {
  const { t } = useTranslation();
  const { severity } = useSearch({ from: "/app/imports/$jobId" });
  const navigate = useNavigate({ from: "/imports/$jobId" });
  const rows = useRows(job.id, severity);
  return (
    <section className="stack-sm" aria-label={t("import.rows")}>
      <div className="row" role="group" aria-label={t("search.filters")}>
        {([undefined, "ERROR", "WARNING"] as const).map((each) => (
          <button key={each ?? "all"} type="button" className="tab-button" aria-pressed={severity === each} onClick={() => void navigate({ search: { severity: each }, replace: true })}>{t(`import.severity.${each ?? "ALL"}`)}</button>
        ))}
      </div>
      <Loaded query={rows}>
        {({ items, pagination }) =>
          items.length ? (
            <>
              <div className="table-scroll" role="region" aria-label={t("import.rows")} tabIndex={0}>
                <table>
                  <thead><tr><th>{t("import.row")}</th><th>{t("import.field")}</th><th>{t("import.value")}</th><th>{t("import.code")}</th><th>{t("import.message")}</th></tr></thead>
                  <tbody>
                    {items.map((row, index) => (
                      <tr key={index}><td className="figures">{row.row}</td><td>{row.field}</td><td className="value">{row.value}</td><td>{row.code}</td><td>{inWords(row.message, row.code)}</td></tr>
                    ))}
                  </tbody>
                </table>
              </div>
              {pagination.total > items.length && <p className="dim small">{t("import.first", { shown: items.length, total: formatNumber(pagination.total) })}</p>}
            </>
          ) : (
            !isRunning(job) && <EmptyState icon="check" title={t("import.clean")} />
          )
        }
      </Loaded>
    </section>
  );
}
