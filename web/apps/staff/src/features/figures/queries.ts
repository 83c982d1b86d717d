import { api, saveFile, type Schemas } from "@luna/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

export interface Period { from?: string; to?: string }

/** Whole days of this browser's time zone as moments. */
function moments({ from, to }: Period): Period {
  const moment = (day: string | undefined, time: string) => day && new Date(`${day}T${time}`).toISOString();
  return { from: moment(from, "00:00:00"), to: moment(to, "23:59:59") };
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
