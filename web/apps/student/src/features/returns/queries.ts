import { api, dataOf, useTopic, type LiveMessage, type Schemas } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

type Return = Schemas["ReturnDetail"];

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
      dataOf(api.POST("/api/v1/returns", { body: { book_id: bookId, pickup_location: place } })),
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
    queryFn: () => dataOf(api.GET("/api/v1/returns/{return_id}", { params: { path: { return_id: returnId } } })),
  });
}

export function useReturnChange(returnId: string, change: "picked-up" | "cancel") {
  const client = useQueryClient();
  const params = { path: { return_id: returnId } };
  return useMutation({
    mutationFn: () =>
      change === "cancel"
        ? dataOf(api.PUT("/api/v1/returns/{return_id}/cancel", { params, body: {} }))
        : dataOf(api.PUT("/api/v1/returns/{return_id}/picked-up", { params, body: {} })),
    onSuccess: (found) => {
      client.setQueryData(["return", returnId], found);
      for (const key of ["returns", "loans"]) void client.invalidateQueries({ queryKey: [key] });
    },
    onError: () => void client.invalidateQueries({ queryKey: ["return", returnId] }),
  });
}
