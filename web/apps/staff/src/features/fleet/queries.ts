import { api, dataOf, pageOf, type Schemas } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Robot = Schemas["RobotRead"];
const KEY = ["fleet"];

export function useFleet() {
  return useQuery({
    queryKey: KEY,
    queryFn: async () => (await pageOf(api.GET("/api/v1/robot/robots", { params: { query: { limit: 100 } } }))).items,
  });
}

function useWrite<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: KEY }), client.invalidateQueries({ queryKey: ["robots"] })]),
  });
}

export function useRegisterRobot() {
  return useWrite((body: Schemas["RobotCreate"]) => dataOf(api.POST("/api/v1/robot/robots", { body })));
}

export function useMaintenance(robotId: string) {
  return useWrite((maintenance: boolean) => dataOf(api.PUT("/api/v1/robot/robots/{robot_id}", { params: { path: { robot_id: robotId } }, body: { maintenance } })));
}

export function useRetireRobot(robotId: string) {
  return useWrite(() => api.DELETE("/api/v1/robot/robots/{robot_id}", { params: { path: { robot_id: robotId } } }));
}

/** A key or a code; both are answered once and never again. */
export interface Secret { kind: "key" | "code"; value: string; expiresAt: string | null }

export function useSecret(robotId: string) {
  const params = { path: { robot_id: robotId } };
  return useWrite(async (kind: Secret["kind"]): Promise<Secret> => {
    if (kind === "key") {
      const { key } = await dataOf(api.POST("/api/v1/robot/robots/{robot_id}/key", { params, body: { revoke_now: false } }));
      return { kind, value: key, expiresAt: null };
    }
    const { code, expires_at: expiresAt } = await dataOf(api.POST("/api/v1/robot/robots/{robot_id}/enrolment-code", { params }));
    return { kind, value: code, expiresAt };
  });
}
