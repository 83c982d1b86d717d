import { api, dataOf, pageOf, useTopic, type Schemas } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Task = Schemas["TaskRead"];

/** Tasks whose robot stands at a desk: to be loaded, or to be unloaded by staff. */
export function useAtDesk() {
  useTopic("deliveries", [["at-desk"]]);
  return useQuery({
    queryKey: ["at-desk"],
    queryFn: async () => (await Promise.all((["ASSIGNED", "IN_PROGRESS"] as const).map(fetchStatus))).flat().filter((task) => isToLoad(task) || isToReceive(task)),
  });
}

async function fetchStatus(status: Schemas["TaskStatus"]): Promise<Task[]> {
  const all: Task[] = [];
  for (let page = 1; ; page += 1) {
    const { items, pagination } = await pageOf(api.GET("/api/v1/deliveries", { params: { query: { status, page, limit: 100 } } }));
    all.push(...items);
    if (page >= pagination.total_pages) return all;
  }
}

/** Students load their returns themselves. */
export function isToLoad(task: Task): boolean {
  return task.stage === "LOADING" && task.return_id === null;
}

/** Students receive their requests themselves, unless the book comes back. */
export function isToReceive(task: Task): boolean {
  return (task.stage === "HANDOVER" && task.request_id === null) || task.stage === "BRINGING_BACK";
}

export function useConfirm() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (task: Task) => {
      const params = { path: { task_id: task.id } };
      return isToLoad(task)
        ? dataOf(api.PUT("/api/v1/deliveries/{task_id}/book-placed", { params, body: { copy_barcode: task.copy_barcode, attempt: task.attempt } }))
        : dataOf(api.PUT("/api/v1/deliveries/{task_id}/complete", { params, body: {} }));
    },
    onSettled: () => {
      for (const key of ["at-desk", "tasks", "pick-list"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}
