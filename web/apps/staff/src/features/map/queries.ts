import { api, dataOf, pageOf, useTopic, type LiveMessage } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

const MAP = ["map"];
const MAP_INTERVAL = 60_000; // ms; a way that is opened again elsewhere is not announced

/** The floor plans, places and ways; read again when a way is closed. `handle` receives what the robots report. */
export function useMap(handle: (message: LiveMessage) => void) {
  const client = useQueryClient();
  useTopic("robots", [], (message: LiveMessage) => {
    if (message.event === "robot.edge.closed") void client.invalidateQueries({ queryKey: MAP });
    handle(message);
  });
  return useQuery({ queryKey: MAP, staleTime: MAP_INTERVAL, refetchInterval: MAP_INTERVAL, queryFn: () => dataOf(api.GET("/api/v1/robot/map")) });
}

function useThenReadMap<Input>(mutationFn: (input: Input) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => void client.invalidateQueries({ queryKey: MAP }) });
}

/** Close an edge for some hours; for 0 the server takes its usual time. */
export function useCloseEdge() {
  return useThenReadMap(({ edgeId, reason, hours }: { edgeId: string; reason: string; hours: number }) => {
    const until = hours ? new Date(Date.now() + hours * 3_600_000).toISOString() : null;
    return dataOf(api.PUT("/api/v1/robot/map/edges/{edge_id}/close", { params: { path: { edge_id: edgeId } }, body: { reason, until } }));
  });
}

export function useOpenEdge() {
  return useThenReadMap((edgeId: string) => dataOf(api.PUT("/api/v1/robot/map/edges/{edge_id}/open", { params: { path: { edge_id: edgeId } } })));
}

export function useRobotErrors(robotId: string) {
  return useQuery({
    queryKey: ["robot-errors", robotId],
    queryFn: async () =>
      (await pageOf(api.GET("/api/v1/robot/robots/{robot_id}/errors", { params: { path: { robot_id: robotId }, query: { limit: 10 } } }))).items,
  });
}

/** What the robot has reported lately, the newest first. */
export function useRobotLogs(robotId: string) {
  return useQuery({
    queryKey: ["robot-logs", robotId],
    queryFn: async () => (await pageOf(api.GET("/api/v1/robot/robots/{robot_id}/logs", { params: { path: { robot_id: robotId }, query: { limit: 10 } } }))).items,
  });
}

/** Deliveries that the robot has or will have. */
export function useRobotTasks(robotId: string) {
  return useQuery({
    queryKey: ["robot-tasks", robotId],
    queryFn: async () => (await pageOf(api.GET("/api/v1/robot/tasks", { params: { query: { robot_id: robotId, limit: 10 } } }))).items,
  });
}

export function useRobotTask(taskId: string | null) {
  return useQuery({
    queryKey: ["task", taskId],
    enabled: taskId !== null,
    queryFn: () => dataOf(api.GET("/api/v1/deliveries/{task_id}", { params: { path: { task_id: taskId ?? "" } } })),
  });
}

export function useResumeRobot(robotId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => dataOf(api.POST("/api/v1/robot/resume/{robot_id}", { params: { path: { robot_id: robotId } }, body: { reason } })),
    onSettled: () => void client.invalidateQueries({ queryKey: ["robots"] }),
  });
}

const ACTIONS = {
  dock: "/api/v1/robot/robots/{robot_id}/dock",
  pause: "/api/v1/robot/robots/{robot_id}/pause",
  "resume-task": "/api/v1/robot/robots/{robot_id}/resume-task",
} as const;
export type Action = keyof typeof ACTIONS;

/** Send a robot to its dock, hold it, or let it go on; none of these is the emergency stop. */
export function useDirect(robotId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (action: Action) => dataOf(api.PUT(ACTIONS[action], { params: { path: { robot_id: robotId } } })),
    onSettled: () => void client.invalidateQueries({ queryKey: ["robots"] }),
  });
}
