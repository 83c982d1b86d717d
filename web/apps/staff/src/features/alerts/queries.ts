import { api, dataOf, pageOf, tagOf, useTopic, type Schemas } from "@luna/api";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Alert = Schemas["AlertRead"];
const KEY = ["alerts"];

/** What needs a person: one row per fault, with its owner, kept until it is resolved. */
export function useAlerts(state: Schemas["AlertState"], page: number) {
  useTopic("alerts", [KEY]);
  return useQuery({
    queryKey: [...KEY, state, page],
    placeholderData: keepPreviousData,
    queryFn: () => pageOf(api.GET("/api/v1/deliveries/alerts", { params: { query: { state, page, limit: 50 } } })),
  });
}

export function useChangeAlert(alert: Alert) {
  const client = useQueryClient();
  const params = { path: { alert_id: alert.id }, header: { "If-Match": tagOf(alert) } };
  return useMutation({
    mutationFn: ({ action, resolution = null }: { action: "claim" | "release" | "resolve"; resolution?: string | null }) =>
      action !== "resolve"
        ? dataOf(api.PUT(`/api/v1/deliveries/alerts/{alert_id}/${action}`, { params }))
        : dataOf(api.PUT("/api/v1/deliveries/alerts/{alert_id}/resolve", { params, body: { resolution } })),
    onSettled: () => void client.invalidateQueries({ queryKey: KEY }),
  });
}
