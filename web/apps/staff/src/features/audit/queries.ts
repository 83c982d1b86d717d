import { api, pageOf } from "@luna/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

export interface Filter { action?: string; resource?: string; from?: string; to?: string; page?: number }

/** A day of the filter as a moment of this browser's time zone. */
function moment(day: string | undefined, time: string): string | undefined {
  return day && new Date(`${day}T${time}`).toISOString();
}

export function useAuditEntries({ action, resource, from, to, page = 1 }: Filter) {
  return useQuery({
    queryKey: ["audit", action, resource, from, to, page],
    placeholderData: keepPreviousData,
    queryFn: () => {
      const query = { action, resource_type: resource, from: moment(from, "00:00:00"), to: moment(to, "23:59:59"), page, limit: 50 };
      return pageOf(api.GET("/api/v1/auth/audit-logs", { params: { query } }));
    },
  });
}
