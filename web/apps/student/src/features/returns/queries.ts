import { api, dataOf, sendStep, taggedOf, useTopic, type LiveMessage, type Schemas, type Tagged } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Return = Tagged<Schemas["ReturnDetail"]>;

export function useLoan(loanId: string) {
  return useQuery({
    queryKey: ["loan", loanId],
    queryFn: () => dataOf(api.GET("/api/v1/loans/{loan_id}", { params: { path: { loan_id: loanId } } })),
  });
}

export function useCreateReturn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ bookId, place }: { bookId: string; place: string }) =>
      taggedOf(api.POST("/api/v1/returns", { body: { book_id: bookId, pickup_location: place } })),
    onSuccess: (created) => {
      client.setQueryData(["return", created.id], created);
      void client.invalidateQueries({ queryKey: ["returns"] });
    },
  });
}

export function useReturn(returnId: string) {
  const client = useQueryClient();
  const queryKey = ["return", returnId];
  useTopic(`return:${returnId}`, [queryKey], (message: LiveMessage) => {
    const pose = message.data?.pose ?? message.data;
    if (message.event !== "robot.position" || !pose || typeof pose !== "object" || !("x" in pose)) return;
    const robot_position = pose as Schemas["RobotPosition"];
    client.setQueryData<Return>(queryKey, (found) => found && { ...found, task: { ...found.task, robot_position } });
  });
  return useQuery({
    queryKey,
    queryFn: () => fetchReturn(returnId),
  });
}

function fetchReturn(returnId: string): Promise<Return> {
  return taggedOf(api.GET("/api/v1/returns/{return_id}", { params: { path: { return_id: returnId } } }));
}

const cancel = ({ id }: Return) => taggedOf(api.PUT("/api/v1/returns/{return_id}/cancel", { params: { path: { return_id: id } }, body: {} })); // without a version: it holds whatever the robot has done meanwhile

function confirmPickUp(found: Return): Promise<Return> {
  const send = ({ id, tag }: Return) => taggedOf(api.PUT("/api/v1/returns/{return_id}/picked-up", { params: { path: { return_id: id }, header: { "If-Match": tag } }, body: {} }));
  return sendStep(found, send, () => fetchReturn(found.id), (fresh) => fresh.actions.some((each) => each.name === "PICKED_UP" && each.allowed));
}

export function useReturnChange(found: Return, change: "picked-up" | "cancel") {
  const { id: returnId } = found;
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => (change === "cancel" ? cancel(found) : confirmPickUp(found)),
    onSuccess: (changed) => {
      client.setQueryData(["return", returnId], changed);
      for (const key of ["returns", "loans"]) void client.invalidateQueries({ queryKey: [key] });
    },
    onError: () => void client.invalidateQueries({ queryKey: ["return", returnId] }),
  });
}
