// The robots as staff see them: one query, kept current by the topic `robots`.
import { api, pageOf, useLiveStatus, useTopic, type LiveMessage, type Schemas } from "@luna/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

export type Robot = Schemas["RobotRead"];
const KEY = ["robots"];
const STOP_POLL = 1000; // ms, until every robot has proved that it stands
const POLL_INTERVAL = 10_000;
const POSITION_INTERVAL = 100;

export function isStanding(robot: Robot): boolean {
  return robot.stop_state === "MOTION_STOPPED";
}

async function fetchRobots(): Promise<Robot[]> {
  const all: Robot[] = [];
  for (let page = 1; ; page += 1) {
    const { items, pagination } = await pageOf(api.GET("/api/v1/robot/status", { params: { query: { page, limit: 100 } } }));
    all.push(...items);
    if (page >= pagination.total_pages) return all;
  }
}

/** Keep the robots current; positions that arrive together are drawn together. */
export function useLiveRobots(): void {
  const client = useQueryClient();
  const fresh = useRef(new Map<string, Partial<Robot>>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useTopic("robots", [KEY], (message: LiveMessage) => {
    if (message.event !== "robot.position" || !message.data) return;
    fresh.current.set(String(message.data.id), { ...message.data, online: true });
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      const changes = fresh.current;
      fresh.current = new Map();
      client.setQueryData<Robot[]>(KEY, (robots) =>
        robots?.map((robot) => {
          const change = changes.get(robot.id);
          return change ? { ...robot, ...change } : robot;
        }),
      );
    }, POSITION_INTERVAL);
  });
}

/** All robots, or what `select` takes of them: a component is drawn again only when that changes. */
export function useRobots<Selected = Robot[]>(select?: (robots: Robot[]) => Selected) {
  const status = useLiveStatus();
  return useQuery<Robot[], Error, Selected>({
    queryKey: KEY,
    queryFn: fetchRobots,
    select,
    refetchInterval: ({ state }) => {
      const stopped = state.data?.filter((robot) => robot.stopped) ?? [];
      if (stopped.some((robot) => !isStanding(robot)) || (stopped.length && status !== "live")) return STOP_POLL;
      return status === "live" ? false : POLL_INTERVAL;
    },
  });
}
