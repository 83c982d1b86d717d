import { api, dataOf, pageOf, tagOf, type Schemas } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Hold = Schemas["HoldRead"];
const KEY = ["holds"];
const OPEN: Hold["status"][] = ["READY", "QUEUED"];

/** Open holds, those that are ready first. */
export function useHolds() {
  return useQuery({
    queryKey: KEY,
    queryFn: async () => (await Promise.all(OPEN.map(async (status) => (await pageOf(api.GET("/api/v1/holds", { params: { query: { status, limit: 100 } } }))).items))).flat(),
  });
}

function useThenRefetch<Input>(mutationFn: (input: Input) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSettled: () => {
      for (const key of ["holds", "loan-summary", "book"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}

/** Keep no copy until a moment; null ends the pause. */
export function useSuspend(hold: Hold) {
  return useThenRefetch((until: string | null) => dataOf(api.PUT("/api/v1/holds/{hold_id}/suspend", { params: paramsOf(hold), body: { until } })));
}

export function useLeave(hold: Hold) {
  return useThenRefetch(() => api.DELETE("/api/v1/holds/{hold_id}", { params: paramsOf(hold) }));
}

const paramsOf = (hold: Hold) => ({ path: { hold_id: hold.id }, header: { "If-Match": tagOf(hold) } });
