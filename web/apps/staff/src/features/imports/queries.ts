import { api, dataOf, pageOf, saveFile, useTopic, type Schemas } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Job = Schemas["ImportJobRead"];

/** A file is read into no key: it is one upload as long as it is chosen. */
const uploads = new WeakMap<File, string>();

function keyOf(file: File, dryRun: boolean): string {
  const key = uploads.get(file) ?? `upload-${Date.now()}-${Math.random()}`;
  uploads.set(file, key);
  return `${key}-${dryRun ? "check" : "import"}`;
}

export function useUpload() {
  const client = useQueryClient();
  return useMutation({
    onSuccess: () => void client.invalidateQueries({ queryKey: ["imports"] }),
    mutationFn: ({ file, dryRun }: { file: File; dryRun: boolean }) => {
      const form = new FormData();
      form.set("file", file);
      return dataOf(
        api.POST("/api/v1/books/bulk-import", {
          params: { query: { dry_run: dryRun }, header: { "Idempotency-Key": keyOf(file, dryRun) } },
          body: form as never, // the generated type describes the file as a text
          bodySerializer: (body: unknown) => body as FormData,
        }),
      );
    },
  });
}

export function isRunning(job: Job): boolean {
  return job.state === "QUEUED" || job.state === "RUNNING";
}

export function useJob(jobId: string) {
  const queryKey = ["import", jobId];
  useTopic(`imports:${jobId}`, [queryKey, ["import-rows", jobId]]);
  return useQuery({
    queryKey,
    queryFn: () => dataOf(api.GET("/api/v1/books/bulk-import/{job_id}", { params: { path: { job_id: jobId } } })),
    refetchInterval: ({ state }) => (state.data && isRunning(state.data) ? 1000 : false),
  });
}

export function useRows(jobId: string, severity: Schemas["Severity"] | undefined) {
  return useQuery({
    queryKey: ["import-rows", jobId, severity],
    queryFn: () => pageOf(api.GET("/api/v1/books/bulk-import/{job_id}/rows", { params: { path: { job_id: jobId }, query: { severity, limit: 100 } } })),
  });
}

export function useCancelImport(jobId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => dataOf(api.PUT("/api/v1/books/bulk-import/{job_id}/cancel", { params: { path: { job_id: jobId } } })),
    onSettled: () => void client.invalidateQueries({ queryKey: ["import", jobId] }),
  });
}

/** Withdraw what an import created and restore what it changed; answers the titles that stay. */
export function useUndoImport(jobId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => (await dataOf(api.POST("/api/v1/books/bulk-import/{job_id}/undo", { params: { path: { job_id: jobId } } }))).kept,
    onSettled: () => void client.invalidateQueries({ queryKey: ["import", jobId] }),
  });
}

export async function saveReport(jobId: string): Promise<void> {
  const { data } = await api.GET("/api/v1/books/bulk-import/{job_id}/report", { params: { path: { job_id: jobId } }, parseAs: "text" });
  saveFile("import.csv", String(data), "text/csv");
}

export function useImports() {
  return useQuery({
    queryKey: ["imports"],
    queryFn: async () => (await pageOf(api.GET("/api/v1/books/bulk-import", { params: { query: { limit: 20 } } }))).items,
    refetchInterval: ({ state }) => (state.data?.some(isRunning) ? 2000 : false),
  });
}
