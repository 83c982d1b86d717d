import { api, dataOf, pageOf, useTopic, type LiveMessage, type Schemas } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

type Request = Schemas["RequestDetail"];

export function useRequests() {
  return useQuery({
    queryKey: ["requests"],
    queryFn: async () => (await pageOf(api.GET("/api/v1/requests", { params: { query: { limit: 50, sort: "requested_at", order: "desc" } } }))).items,
  });
}

/** One request, kept current by its topic; positions of the robot are put into the cache directly. */
export function useRequest(requestId: string) {
  const client = useQueryClient();
  const queryKey = ["request", requestId];
  useTopic(`request:${requestId}`, [queryKey], (message: LiveMessage) => {
    if (message.event !== "robot.position") return;
    client.setQueryData<Request>(queryKey, (request) => request && { ...request, task: { ...request.task, robot_position: poseOf(message) } });
  });
  return useQuery({
    queryKey,
    queryFn: () => dataOf(api.GET("/api/v1/requests/{request_id}", { params: { path: { request_id: requestId } } })),
  });
}

function poseOf(message: LiveMessage): Schemas["RobotPosition"] | null {
  const pose = message.data?.pose ?? message.data;
  return pose && typeof pose === "object" && "x" in pose ? (pose as Schemas["RobotPosition"]) : null;
}

function useChange(requestId: string, change: () => Promise<Request>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (request) => {
      client.setQueryData(["request", requestId], request);
      for (const key of ["requests", "loans"]) void client.invalidateQueries({ queryKey: [key] });
    },
    onError: () => void client.invalidateQueries({ queryKey: ["request", requestId] }),
  });
}

export function useCancel(requestId: string) {
  const path = { request_id: requestId };
  return useChange(requestId, () => dataOf(api.PUT("/api/v1/requests/{request_id}/cancel", { params: { path }, body: {} })));
}

export function useComplete(requestId: string) {
  const path = { request_id: requestId };
  return useChange(requestId, () => dataOf(api.PUT("/api/v1/requests/{request_id}/complete", { params: { path }, body: {} })));
}

export function useExtend(requestId: string) {
  const path = { request_id: requestId };
  return useChange(requestId, () => dataOf(api.PUT("/api/v1/requests/{request_id}/extend", { params: { path } })));
}

export function useChangePlace(requestId: string, place: string | null) {
  const path = { request_id: requestId };
  return useChange(requestId, () => dataOf(api.PUT("/api/v1/requests/{request_id}/place", { params: { path }, body: { request_location: place ?? "" } })));
}

export function useReportProblem(requestId: string) {
  const params = { path: { request_id: requestId } };
  return useMutation({ mutationFn: (body: Schemas["ProblemReport"]) => dataOf(api.POST("/api/v1/requests/{request_id}/problems", { params, body })) });
}

/** Whether the server allows an action now. */
export function isAllowed(request: Request, name: string): boolean {
  return request.actions.some((each) => each.name === name && each.allowed);
}
