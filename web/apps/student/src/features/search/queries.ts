import { api, pageOf } from "@luna/api";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";

const PAGE_SIZE = 20;
export interface Search { q?: string; available?: boolean; subject?: string }

export function useBooks({ q, available, subject }: Search) {
  return useInfiniteQuery({
    queryKey: ["books", { q, available, subject }],
    initialPageParam: 1,
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam, signal }) =>
      pageOf(api.GET("/api/v1/books", { signal, params: { query: { q, available, subject, page: pageParam, limit: PAGE_SIZE } } })),
    getNextPageParam: ({ pagination }) => (pagination.page < pagination.total_pages ? pagination.page + 1 : undefined),
  });
}
