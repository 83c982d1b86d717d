import { allOf, api, dataOf, distinct, useTopic, type LiveMessage, type Schemas } from "@luna/api";
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
    queryFn: () => dataOf(api.GET("/api/v1/deliveries/{task_id}", { params: { path: { task_id: taskId ?? "" } } })),
  });
}

export type Change =
  | { action: "book-placed" | "complete" | "retry" | "claim" | "release" | "reassign" }
  | { action: "cancel"; book_location: string | null }
  | { action: "fail"; reason: string; book_location: string | null }
  | { action: "priority"; priority: Schemas["Priority"] };

function send(taskId: string, change: Change): Promise<Schemas["TaskDetail"]> {
  const params = { path: { task_id: taskId } };
  switch (change.action) {
    case "book-placed":
      return dataOf(api.PUT("/api/v1/deliveries/{task_id}/book-placed", { params, body: {} }));
    case "complete":
      return dataOf(api.PUT("/api/v1/deliveries/{task_id}/complete", { params, body: {} }));
    case "retry":
      return dataOf(api.PUT("/api/v1/deliveries/{task_id}/retry", { params, body: {} }));
    case "claim":
      return dataOf(api.PUT("/api/v1/deliveries/{task_id}/claim", { params }));
    case "release":
      return dataOf(api.PUT("/api/v1/deliveries/{task_id}/release", { params }));
    case "reassign":
      return dataOf(api.PUT("/api/v1/deliveries/{task_id}/reassign", { params }));
    case "cancel":
      return dataOf(api.PUT("/api/v1/deliveries/{task_id}/cancel", { params, body: { book_location: change.book_location } }));
    case "fail":
      return dataOf(api.PUT("/api/v1/deliveries/{task_id}/fail", { params, body: { reason: change.reason, book_location: change.book_location } }));
    case "priority":
      return dataOf(api.PUT("/api/v1/deliveries/{task_id}/priority", { params, body: { priority: change.priority } }));
  }
}

export function useChangeTask(taskId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Change) => send(taskId, change),
    onSuccess: (task) => client.setQueryData(["task", taskId], task),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: KEY });
      void client.invalidateQueries({ queryKey: ["task", taskId] });
    },
  });
}
