import { api, saveFile, type Schemas } from "@luna/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

export const LISTS = ["overdue", "hold-shelf", "high-demand", "never-borrowed", "missing"] as const satisfies Schemas["StaffList"][];
export type ListName = Schemas["StaffList"];
export type Row = Schemas["StaffListRow"];

/** What needs work, the most urgent first. */
export function useList(name: ListName, page: number) {
  return useQuery({
    queryKey: ["list", name, page],
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const { data } = await api.GET("/api/v1/loans/lists/{name}", { params: { path: { name }, query: { page, limit: 50 } } });
      const { data: items, pagination } = data as { data: Row[]; pagination: Schemas["Pagination"] }; // CSV is answered to format=csv alone
      return { items, pagination };
    },
  });
}

/** The whole list as a file. */
export async function saveList(name: ListName): Promise<void> {
  const { data } = await api.GET("/api/v1/loans/lists/{name}", { params: { path: { name }, query: { format: "csv" } }, parseAs: "text" });
  saveFile(`${name}.csv`, String(data), "text/csv");
}
