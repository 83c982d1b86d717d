// The robots as staff see them: one query, kept current by the topic `robots`.
import { allOf, api, dataOf, useLiveStatus, useTopic, type LiveMessage, type Schemas } from "@luna/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

export type Robot = Schemas["RobotRead"];
const KEY = ["robots"];
const STOP_POLL = 1000; // ms
const POLL_INTERVAL = 10_000;
const POSITION_INTERVAL = 1000; // ms; the map moves its marks at each report

export function isStanding(robot: Robot): boolean {
  return robot.stop_state === "MOTION_STOPPED";
}

function fetchRobots(): Promise<Robot[]> {
  return allOf((page) => api.GET("/api/v1/robot/status", { params: { query: page } }));
}

/** Keep the robots current; positions are put into the cache together, once a second. */
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
          return change && !isOlder(change, robot) ? { ...robot, ...change } : robot;
        }),
      );
    }, POSITION_INTERVAL);
  });
}

/** What was read meanwhile is newer than a report that waited. */
function isOlder(report: Partial<Robot>, robot: Robot): boolean {
  return Date.parse(report.last_heartbeat ?? "") < Date.parse(robot.last_heartbeat ?? "");
}

/** Ask each second for the robots' proofs until all stand, and while a stop cannot be followed live. */
export function useStopPoll(robots: Robot[], isPressed: boolean): void {
  const client = useQueryClient();
  const isLive = useLiveStatus() === "live";
  const stopped = robots.filter((robot) => robot.stopped);
  const isDue = stopped.some((robot) => !isStanding(robot)) || (!isLive && (isPressed || stopped.length > 0));
  useQuery({
    queryKey: ["emergency-stop"],
    enabled: isDue,
    refetchInterval: STOP_POLL,
    queryFn: async () => {
      const stop = await dataOf(api.GET("/api/v1/robot/emergency-stop"));
      client.setQueryData<Robot[]>(KEY, (known) => known && withStop(known, stop));
      return stop;
    },
  });
}

function withStop(robots: Robot[], stop: Schemas["StopStateRead"]): Robot[] {
  const states = new Map<string, string>(stop.robots.map(({ id, state }) => [id, state]));
  return robots.map((robot) => ({ ...robot, stopped: states.has(robot.id), stop_state: states.get(robot.id) ?? null }));
}

/** All robots, or what `select` takes of them: a component is drawn again only when that changes. */
export function useRobots<Selected = Robot[]>(select?: (robots: Robot[]) => Selected) {
  const status = useLiveStatus();
  return useQuery<Robot[], Error, Selected>({
    queryKey: KEY,
    queryFn: fetchRobots,
    select,
    refetchInterval: status === "live" ? false : POLL_INTERVAL,
  });
}
