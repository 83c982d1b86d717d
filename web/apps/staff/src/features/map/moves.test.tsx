import { act, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { live, type LiveMessage } from "@luna/api";
import { show } from "../../testing";

const FLOOR = { floor: 1, name: "Ground Floor", width_m: 10, height_m: 5, plan: null, svg: null, origin: [0, 0] };
const MAP = { version: 1, floors: [FLOOR], waypoints: [], edges: [] };
const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1000).toISOString();
const ROBOT = { id: "x1", robot_name: "luna-bot-1", status: "IDLE", connectivity: "ONLINE", online: true, current_location: null, pose: { x: 2, y: 1, theta: 0, floor: 1 }, battery_level: 0.5, stopped: false, stop_state: null, last_heartbeat: at(0), current_task_id: null };

test("a report moves its mark at once, an older one and one of another floor do not", async () => {
  const handlers: ((message: LiveMessage) => void)[] = [];
  vi.spyOn(live, "on").mockImplementation((topic, handler) => {
    if (topic === "robots") handlers.push(handler);
    return () => undefined;
  });
  await show("/map", { "GET /robot/map": MAP, "GET /robot/status": [ROBOT] });
  await screen.findByRole("button", { name: /luna-bot-1/ });
  const mark = document.querySelector<HTMLElement>(".map .robot");
  const report = (x: number, seconds: number, floor = 1) => act(() => {
    for (const handler of handlers) handler({ type: "event", topic: "robots", pos: null, event: "robot.position", at: at(seconds), data: { id: "x1", pose: { x, y: 1, theta: 0, floor }, last_heartbeat: at(seconds) } });
  });
  expect(mark?.style.transform).toBe("translate(20.0px, 40.0px)");
  report(3, 2);
  await waitFor(() => expect(mark?.style.transform).toBe("translate(30.0px, 40.0px)"));
  report(4, 3);
  report(9, 1);
  report(8, 4, 2);
  await waitFor(() => expect(mark?.style.transform).toBe("translate(40.0px, 40.0px)"));
  vi.restoreAllMocks();
});
