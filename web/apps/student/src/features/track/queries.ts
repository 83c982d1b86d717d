import { api, dataOf, pageOf, sendStep, taggedOf, useTopic, type LiveMessage, type Schemas, type Tagged } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Request = Tagged<Schemas["RequestDetail"]>;

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
    queryFn: () => fetchRequest(requestId),
  });
}

function fetchRequest(requestId: string): Promise<Request> {
  return taggedOf(api.GET("/api/v1/requests/{request_id}", { params: { path: { request_id: requestId } } }));
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

const paramsOf = ({ id, tag }: Request) => ({ path: { request_id: id }, header: { "If-Match": tag } });

/** Without a version: it holds whatever the robot has done meanwhile, and says what becomes of the book. */
export function useCancel({ id }: Request) {
  return useChange(id, () => taggedOf(api.PUT("/api/v1/requests/{request_id}/cancel", { params: { path: { request_id: id } }, body: {} })));
}

/** A step that is sent again where something else has changed meanwhile, as long as the server allows it and what it depends on is the same. */
function useStep(request: Request, name: string, send: (request: Request) => Promise<Request>, isSame: (fresh: Request) => boolean) {
  return useChange(request.id, () => sendStep(request, send, () => fetchRequest(request.id), (fresh) => isAllowed(fresh, name) && isSame(fresh)));
}

export function useComplete(request: Request) {
  const send = (shown: Request) => taggedOf(api.PUT("/api/v1/requests/{request_id}/complete", { params: paramsOf(shown), body: {} }));
  return useStep(request, "COMPLETE", send, ({ copy_id }) => copy_id === request.copy_id);
}

/** Not twice: once another tab has extended it, the time is another. */
export function useExtend(request: Request) {
  const send = (shown: Request) => taggedOf(api.PUT("/api/v1/requests/{request_id}/extend", { params: paramsOf(shown) }));
  return useStep(request, "EXTEND", send, ({ task }) => task.wait_until === request.task.wait_until);
}

export function useChangePlace(request: Request, place: string | null) {
  const send = (shown: Request) => taggedOf(api.PUT("/api/v1/requests/{request_id}/place", { params: paramsOf(shown), body: { request_location: place ?? "" } }));
  return useStep(request, "CHANGE_PLACE", send, ({ request_location }) => request_location === request.request_location);
}

export function useReportProblem(requestId: string) {
  const params = { path: { request_id: requestId } };
  return useMutation({ mutationFn: (body: Schemas["ProblemReport"]) => dataOf(api.POST("/api/v1/requests/{request_id}/problems", { params, body })) });
}

/** Whether the server allows an action now. */
export function isAllowed(request: Request, name: string): boolean {
  return request.actions.some((each) => each.name === name && each.allowed);
}
