import { api, pageOf } from "@luna/api";
import { momentOf } from "@luna/i18n";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

export interface Filter { action?: string; resource?: string; from?: string; to?: string; page?: number }

export function useAuditEntries({ action, resource, from, to, page = 1 }: Filter) {
  return useQuery({
    queryKey: ["audit", action, resource, from, to, page],
    placeholderData: keepPreviousData,
    queryFn: () => {
      const query = { action, resource_type: resource, from: from && momentOf(from, "00:00:00"), to: to && momentOf(to, "23:59:59"), page, limit: 50 };
      return pageOf(api.GET("/api/v1/auth/audit-logs", { params: { query } }));
    },
  });
}
