import { api, dataOf, pageOf } from "@luna/api";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";

export function useNotifications() {
  return useInfiniteQuery({
    queryKey: ["notifications"],
    initialPageParam: 1,
    queryFn: ({ pageParam }) => pageOf(api.GET("/api/v1/notifications", { params: { query: { page: pageParam, limit: 20 } } })),
    getNextPageParam: ({ pagination }) => (pagination.page < pagination.total_pages ? pagination.page + 1 : undefined),
  });
}

function useThenRefetch<Input>(mutationFn: (input: Input) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["notifications"] });
      void client.invalidateQueries({ queryKey: ["unread"] });
    },
  });
}

export function useMarkRead() {
  return useThenRefetch((id: string) =>
    dataOf(api.PUT("/api/v1/notifications/{notification_id}/read", { params: { path: { notification_id: id } } })),
  );
}

export function useMarkAllRead() {
  return useThenRefetch(() => dataOf(api.PUT("/api/v1/notifications/read-all")));
}
