import { allOf, api, dataOf, useTopic } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";

const TICKS = "luna.pick-ticks";

export function usePickList() {
  useTopic("deliveries", [["pick-list"]]);
  return useQuery({
    queryKey: ["pick-list"],
    queryFn: () => allOf((page) => api.GET("/api/v1/deliveries/pick-list", { params: { query: page } })),
  });
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

/** The copy is missing: the server reserves another, or ends the request. */
export function useNotFound() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (taskId: string) => dataOf(api.PUT("/api/v1/deliveries/pick-list/{task_id}/not-found", { params: { path: { task_id: taskId } } })),
    onSettled: () => {
      for (const key of ["pick-list", "tasks"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}
