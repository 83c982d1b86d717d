import { api, pageOf, useTopic } from "@luna/api";
import { useQuery } from "@tanstack/react-query";

/** What needs a person now: failed deliveries; robots that are stopped or offline. */
export function useAlerts() {
  useTopic("alerts", [["alerts"]]);
  return useQuery({
    queryKey: ["alerts"],
    queryFn: async () => {
      const [tasks, robots] = await Promise.all([
        pageOf(api.GET("/api/v1/deliveries", { params: { query: { status: "FAILED", limit: 100 } } })),
        pageOf(api.GET("/api/v1/robot/status", { params: { query: { limit: 100 } } })),
      ]);
      return { tasks: tasks.items, robots: robots.items.filter((robot) => robot.stopped || robot.connectivity === "OFFLINE") };
    },
  });
}
