import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const place = (location_code: string, x: number) => ({ location_code, name: `Place ${location_code}`, kind: "DELIVERY_POINT", floor: 1, x_coordinate: x, y_coordinate: 1 });
const MAP = { version: 1, floors: [], waypoints: [place("A", 1), place("B", 9)], edges: [{ id: "e1", from: "A", to: "B", distance: 8, bidirectional: true, kind: "CORRIDOR", closed_until: null, closed_reason: null }] };
const ROBOT = { id: "x1", robot_name: "luna-bot-1", status: "IDLE", connectivity: "ONLINE", online: true, current_location: null, pose: null, battery_level: 0.5, stopped: false, stop_state: null, last_heartbeat: null, current_task_id: null };

test("a robot without a position is a row, and without a drawing the places are drawn", async () => {
  await show("/map", { "GET /robot/map": MAP, "GET /robot/status": [ROBOT] });
  expect((await screen.findByRole("button", { name: /luna-bot-1/ })).textContent).toContain("no position");
  expect(screen.getByText(/There is no drawing of this floor/)).toBeDefined();
  expect(document.querySelectorAll(".waypoint")).toHaveLength(2);
});

test("a way is closed with its reason; without a time the server takes its usual one", async () => {
  const sent = await show("/map", { "GET /robot/map": MAP, "GET /robot/status": [ROBOT], "PUT /robot/map/edges/e1/close": {} });
  fireEvent.change(await screen.findByRole("combobox", { name: "Way" }), { target: { value: "e1" } });
  fireEvent.change(screen.getByLabelText(/^Reason/), { target: { value: "Wet floor" } });
  fireEvent.click(screen.getByRole("button", { name: "Close a way" }));
  await waitFor(() => expect(sent.find(({ call }) => call.endsWith("/close"))?.body).toEqual({ reason: "Wet floor", until: null }));
});

test("a robot that is late is grey with its age, one that is offline is crossed out, and each floor says how many it has", async () => {
  const pose = { x: 5, y: 1, theta: 0, floor: 1 };
  const floors = [{ floor: 1, name: "Ground Floor", width_m: 10, height_m: 5, plan: null, svg: null, origin: [0, 0] }, { floor: 2, name: "First Floor", width_m: 10, height_m: 5, plan: null, svg: null, origin: [0, 0] }];
  const late = { ...ROBOT, connectivity: "STALE", online: false, pose, last_heartbeat: new Date(Date.now() - 20_000).toISOString() };
  const gone = { ...ROBOT, id: "x2", robot_name: "luna-bot-2", connectivity: "OFFLINE", online: false, pose: { ...pose, x: 8 }, last_heartbeat: late.last_heartbeat };
  await show("/map", { "GET /robot/map": { ...MAP, floors }, "GET /robot/status": [late, gone, { ...ROBOT, id: "x3", robot_name: "luna-bot-3", pose: { ...pose, floor: 2 } }] });
  expect((await screen.findByRole("button", { name: /^Ground Floor/ })).textContent).toBe("Ground Floor 2");
  expect(screen.getByRole("button", { name: /^First Floor/ }).textContent).toBe("First Floor 1");
  expect(document.querySelector(".map .robot.stale .note")?.textContent).toMatch(/2\d secs ago/);
  expect(document.querySelectorAll(".map .robot.offline")).toHaveLength(1);
});
