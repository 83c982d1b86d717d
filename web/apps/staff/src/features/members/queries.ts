import { api, pageOf } from "@luna/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

export function useMembers(q: string | undefined, page: number) {
  return useQuery({
    queryKey: ["members", q, page],
    placeholderData: keepPreviousData,
    queryFn: () => pageOf(api.GET("/api/v1/auth/members", { params: { query: { q, page, limit: 50 } } })),
  });
}

/** What a member has on loan and has requested. */
export function useMemberRecord(memberId: string) {
  return useQuery({
    queryKey: ["member", memberId],
    queryFn: async () => {
      const query = { user_id: memberId, limit: 100 };
      const [loans, requests] = await Promise.all([
        pageOf(api.GET("/api/v1/loans", { params: { query } })),
        pageOf(api.GET("/api/v1/requests", { params: { query: { ...query, sort: "requested_at", order: "desc" } } })),
      ]);
      return { loans: loans.items, requests: requests.items };
    },
  });
}
