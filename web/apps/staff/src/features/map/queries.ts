import { api, dataOf, pageOf } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export function useMap() {
  return useQuery({ queryKey: ["map"], staleTime: 300_000, queryFn: () => dataOf(api.GET("/api/v1/robot/map")) });
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
