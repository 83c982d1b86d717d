import { Icon, Refusal } from "@luna/ui";
import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { RecentImports } from "./parts";
import { useUpload } from "./queries";

export function ImportPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const upload = useUpload();
  const [file, setFile] = useState<File | null>(null);
  const [dryRun, setDryRun] = useState(true);
  const isSent = upload.isPending || upload.isSuccess; // until the next page is there
  const submit = () => {
    if (!file || isSent) return;
    upload.mutate({ file, dryRun }, { onSuccess: ({ job_id: jobId }) => void navigate({ to: "/imports/$jobId", params: { jobId } }) });
  };
  return (
    <div className="stack-lg narrow">
      <Heading title={t("staff.imports")} />
      <form className="card stack" onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <label className="drop" onDragOver={(event) => event.preventDefault()} onDrop={(event) => { event.preventDefault(); setFile(event.dataTransfer.files[0] ?? null); }}>
          <Icon name="upload" size={32} />
          <span>{file ? file.name : t("import.choose")}</span>
          <span className="small dim">{t("import.formats")}</span>
          <input type="file" accept=".csv,.tsv,.txt,.xlsx,.json,.jsonl,.ndjson,.mrc,.marc,.xml" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
        </label>
        <label className="tick-row"><input type="checkbox" checked={dryRun} onChange={(event) => setDryRun(event.currentTarget.checked)} />{t("import.dryRun")}</label>
        <p className="small dim">{t("import.dryRunText")}</p>
        <Refusal error={upload.error} />
        <Button type="submit" size="md" disabled={!file} loading={isSent}>{t(dryRun ? "import.check" : "import.start")}</Button>
      </form>
      <RecentImports />
    </div>
  );
}
