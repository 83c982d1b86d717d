import { allOf, api, dataOf, distinct, sendStep, tagOf, useTopic, type Schemas } from "@luna/api";
import { cleaned } from "@luna/ui";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Task = Schemas["TaskRead"];

const AT_DESK = {
  queryKey: ["at-desk"],
  queryFn: async () => distinct((await Promise.all((["ASSIGNED", "IN_PROGRESS"] as const).map(fetchStatus))).flat()).filter((task) => isToLoad(task) || isToReceive(task)),
};

/** Tasks whose robot stands at a desk: to be loaded, or to be unloaded by staff. */
export function useAtDesk() {
  useTopic("deliveries", [AT_DESK.queryKey]);
  return useQuery(AT_DESK);
}

/** Find the task of a scanned copy; a robot that has just arrived may not be in the list yet. */
export function useFindTask(): (code: string) => Promise<Task | undefined> {
  const client = useQueryClient();
  return async (code) => {
    const isOf = (task: Task) => cleaned(task.copy_barcode) === code;
    const known = client.getQueryData<Task[]>(AT_DESK.queryKey)?.find(isOf);
    return known ?? (await client.fetchQuery({ ...AT_DESK, staleTime: 0 })).find(isOf);
  };
}

export function readCopy(barcode: string): Promise<Schemas["ScannedCopy"]> {
  return dataOf(api.GET("/api/v1/copies/{barcode}", { params: { path: { barcode } } }));
}

function fetchStatus(status: Schemas["TaskStatus"]): Promise<Task[]> {
  return allOf((page) => api.GET("/api/v1/deliveries", { params: { query: { status, ...page } } }));
}

/** Students load their returns themselves. */
export function isToLoad(task: Task): boolean {
  return task.stage === "LOADING" && task.return_id === null;
}

/** Students receive their requests themselves, unless the book comes back. */
export function isToReceive(task: Task): boolean {
  return (task.stage === "HANDOVER" && task.request_id === null) || task.stage === "BRINGING_BACK";
}

function fetchTask(taskId: string): Promise<Task> {
  return dataOf(api.GET("/api/v1/deliveries/{task_id}", { params: { path: { task_id: taskId } } }));
}

/** A loading names copy and attempt, which say more than a version: it changes also while the robot arrives. */
function confirm(task: Task): Promise<Task> {
  const params = { path: { task_id: task.id }, header: isToLoad(task) ? {} : { "If-Match": tagOf(task) } };
  return isToLoad(task)
    ? dataOf(api.PUT("/api/v1/deliveries/{task_id}/book-placed", { params, body: { copy_barcode: task.copy_barcode, attempt: task.attempt } }))
    : dataOf(api.PUT("/api/v1/deliveries/{task_id}/complete", { params, body: {} }));
}

export function useConfirm() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (task: Task) => sendStep(task, confirm, () => fetchTask(task.id), ({ stage, attempt }) => stage === task.stage && attempt === task.attempt),
    onSettled: () => {
      for (const key of ["at-desk", "tasks", "pick-list"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}
