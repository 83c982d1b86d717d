import { api, pageOf, type Schemas } from "@luna/api";
import { useInfiniteQuery, useMutation, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { sendOrKeep } from "../../parts/outbox";
import { announceRead } from "../../parts/tabs";

type Page = Awaited<ReturnType<typeof fetchPage>>;
const KEY = ["notifications"];

function fetchPage(page: number) {
  return pageOf(api.GET("/api/v1/notifications", { params: { query: { page, limit: 20 } } }));
}

export function useNotifications() {
  return useInfiniteQuery({
    queryKey: KEY,
    initialPageParam: 1,
    queryFn: ({ pageParam }) => fetchPage(pageParam),
    getNextPageParam: ({ pagination }) => (pagination.page < pagination.total_pages ? pagination.page + 1 : undefined),
  });
}

/** Mark messages as read: shown at once, sent when there is a connection. */
function useMark<Input>(write: (input: Input) => Promise<void>, concerns: (input: Input, id: string) => boolean) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: write,
    onMutate: (input) => {
      let marked = 0;
      const read = (each: Schemas["NotificationRead"]) => {
        if (each.is_read || !concerns(input, each.id)) return each;
        marked += 1;
        return { ...each, is_read: true };
      };
      client.setQueryData<InfiniteData<Page, number>>(KEY, (found) => found && { ...found, pages: found.pages.map((page) => ({ ...page, items: page.items.map(read) })) });
      client.setQueryData<Schemas["UnreadCount"]>(["unread"], (count) => count && { ...count, unread: Math.max(0, count.unread - marked) });
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: KEY });
      void client.invalidateQueries({ queryKey: ["unread"] });
      announceRead();
    },
  });
}

export function useMarkRead() {
  return useMark((id: string) => sendOrKeep({ kind: "read", id }), (wanted, id) => wanted === id);
}

export function useMarkAllRead() {
  return useMark(() => sendOrKeep({ kind: "read-all" }), () => true);
}
