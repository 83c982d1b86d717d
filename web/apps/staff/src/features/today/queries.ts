import { allOf, api, distinct, taggedOf, useTopic, type LiveMessage, type Schemas, type Tagged } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Task = Schemas["TaskRead"];
const OPEN: Schemas["TaskStatus"][] = ["PENDING", "QUEUED", "ASSIGNED", "IN_PROGRESS", "FAILED"];
const KEY = ["tasks"];

function fetchStatus(status: Schemas["TaskStatus"]): Promise<Task[]> {
  return allOf((page) => api.GET("/api/v1/deliveries", { params: { query: { status, ...page } } }));
}

export const OPEN_TASKS = { queryKey: KEY, queryFn: async () => distinct((await Promise.all(OPEN.map(fetchStatus))).flat()) };

/** All open tasks. An event changes its task at once; the list is then read again. */
export function useOpenTasks() {
  const client = useQueryClient();
  useTopic("deliveries", [KEY, ["task"]], ({ event, data }: LiveMessage) => {
    if (!event?.startsWith("delivery.task.") || !data) return;
    const { task_id: id, status, stage, robot_name, eta, priority, claimed_by } = data as Partial<Task> & { task_id?: string };
    client.setQueryData<Task[]>(KEY, (tasks) =>
      tasks?.map((task) => (task.id === id ? { ...task, ...defined({ status, stage, robot_name, eta, priority, claimed_by }) } : task)),
    );
  });
  return useQuery(OPEN_TASKS);
}

function defined(change: Partial<Task>): Partial<Task> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

export function useTask(taskId: string | undefined) {
  return useQuery({
    queryKey: ["task", taskId],
    enabled: taskId !== undefined,
    queryFn: () => fetchTask(taskId ?? ""),
  });
}

function fetchTask(taskId: string): Promise<Detail> {
  return taggedOf(api.GET("/api/v1/deliveries/{task_id}", { params: { path: { task_id: taskId } } }));
}

export type Change =
  | { action: "book-placed" | "complete" | "retry" | "claim" | "release" | "reassign" }
  | { action: "cancel"; book_location: string | null }
  | { action: "fail"; reason: string; book_location: string | null }
  | { action: "priority"; priority: Schemas["Priority"] };

export type Detail = Tagged<Schemas["TaskDetail"]>;

/**
 * Send a step with the version that is shown: one that somebody else was first with is refused. A claim
 * carries none: nothing counts but who has the delivery, and that refusal names them.
 */
function send({ id, tag }: Detail, change: Change): Promise<Detail> {
  const params = { path: { task_id: id }, header: change.action === "claim" ? {} : { "If-Match": tag } };
  switch (change.action) {
    case "book-placed":
      return taggedOf(api.PUT("/api/v1/deliveries/{task_id}/book-placed", { params, body: {} }));
    case "complete":
      return taggedOf(api.PUT("/api/v1/deliveries/{task_id}/complete", { params, body: {} }));
    case "retry":
      return taggedOf(api.PUT("/api/v1/deliveries/{task_id}/retry", { params, body: {} }));
    case "claim":
      return taggedOf(api.PUT("/api/v1/deliveries/{task_id}/claim", { params }));
    case "release":
      return taggedOf(api.PUT("/api/v1/deliveries/{task_id}/release", { params }));
    case "reassign":
      return taggedOf(api.PUT("/api/v1/deliveries/{task_id}/reassign", { params }));
    case "cancel":
      return taggedOf(api.PUT("/api/v1/deliveries/{task_id}/cancel", { params, body: { book_location: change.book_location } }));
    case "fail":
      return taggedOf(api.PUT("/api/v1/deliveries/{task_id}/fail", { params, body: { reason: change.reason, book_location: change.book_location } }));
    case "priority":
      return taggedOf(api.PUT("/api/v1/deliveries/{task_id}/priority", { params, body: { priority: change.priority } }));
  }
}

export function useChangeTask(task: Detail) {
  const taskId = task.id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Change) => send(task, change),
    onSuccess: (changed) => client.setQueryData(["task", taskId], changed),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: KEY });
      void client.invalidateQueries({ queryKey: ["task", taskId] });
    },
  });
}
