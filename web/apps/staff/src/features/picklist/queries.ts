import { allOf, api, dataOf, sendStep, tagOf, useTopic, type Schemas } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";

const TICKS = "luna.pick-ticks";

type Line = Schemas["PickRead"];

function fetchLines(): Promise<Line[]> {
  return allOf((page) => api.GET("/api/v1/deliveries/pick-list", { params: { query: page } }));
}

export function usePickList() {
  useTopic("deliveries", [["pick-list"]]);
  return useQuery({ queryKey: ["pick-list"], queryFn: fetchLines });
}

/** Which lines are picked; kept on this device and forgotten with their lines. */
export function useTicks(lines: { task_id: string }[]): [Set<string>, (id: string, picked: boolean) => void] {
  const [stored, setStored] = useState<string[]>(() => JSON.parse(localStorage.getItem(TICKS) ?? "[]") as string[]);
  const ticks = useMemo(() => new Set(lines.map((line) => line.task_id).filter((id) => stored.includes(id))), [stored, lines]);
  const tick = (id: string, picked: boolean) =>
    setStored((before) => {
      const next = picked ? [...new Set([...before, id])] : before.filter((each) => each !== id);
      localStorage.setItem(TICKS, JSON.stringify(next));
      return next;
    });
  return [ticks, tick];
}

function report(line: Line): Promise<Schemas["TaskRead"]> {
  const params = { path: { task_id: line.task_id }, header: { "If-Match": tagOf(line) } };
  return dataOf(api.PUT("/api/v1/deliveries/pick-list/{task_id}/not-found", { params }));
}

/** The copy is missing: the server reserves another, or ends the request. A robot that sets out meanwhile changes the line, not what is missing. */
export function useNotFound() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (line: Line) => {
      const reread = async () => (await fetchLines()).find((each) => each.task_id === line.task_id) ?? line;
      return sendStep(line, report, reread, (fresh) => fresh !== line && fresh.copy_barcode === line.copy_barcode);
    },
    onSettled: () => {
      for (const key of ["pick-list", "tasks"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}
