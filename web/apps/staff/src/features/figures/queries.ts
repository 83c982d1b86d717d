import { api, saveFile, type Schemas } from "@luna/api";
import { momentOf } from "@luna/i18n";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

export interface Period { from?: string; to?: string }

/** Whole days of the library as moments. */
function moments({ from, to }: Period): Period {
  return { from: from && momentOf(from, "00:00:00"), to: to && momentOf(to, "23:59:59") };
}

export function useFigures(period: Period) {
  return useQuery({
    queryKey: ["figures", period.from, period.to],
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const { data } = await api.GET("/api/v1/deliveries/analytics", { params: { query: moments(period) } });
      return (data as { data: Schemas["AnalyticsRead"] }).data; // CSV is answered to format=csv alone
    },
  });
}

export async function saveFigures(period: Period): Promise<void> {
  const { data } = await api.GET("/api/v1/deliveries/analytics", { params: { query: { ...moments(period), format: "csv" } }, parseAs: "text" });
  saveFile("deliveries.csv", String(data), "text/csv");
}
