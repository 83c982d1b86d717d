import { session } from "@luna/api";
import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show } from "./testing";

const ROBOT = { id: "x1", robot_name: "luna-bot-1", status: "NAVIGATING", connectivity: "ONLINE", online: true, current_location: "Lift", pose: null, battery_level: 0.5, stopped: true, stop_state: "RECEIVED", current_task_id: null };
const STOP = "POST /robot/emergency-stop";
const STATE = "GET /robot/emergency-stop";
const press = async () => fireEvent.click((await screen.findAllByRole("button", { name: "Stop all robots", hidden: true }))[0] as HTMLElement);

test("a stop that is refused for an expired token is sent again with a new one", async () => {
  let token = "old";
  const sent = await show("/alerts", {
    "GET /deliveries/alerts": [],
    "POST /auth/refresh": () => ({ access_token: (token = "new"), refresh_token: null, expires_in: 3600 }),
    [STOP]: () => (token === "new" ? {} : refusal(401, "TOKEN_EXPIRED", "Expired.")),
  });
  await press();
  await waitFor(() => expect(sent.filter(({ call }) => call === STOP).at(-1)?.headers.get("Authorization")).toBe("Bearer new"));
  expect(session.accessToken).toBe("new");
  await waitFor(() => expect(screen.queryByText(/The stop was not sent/)).toBeNull());
});

test("a stop that fails says so at once and what to do, is sent again by itself, and the message goes with the answer", async () => {
  let isBack = false;
  const sent = await show("/alerts", { "GET /deliveries/alerts": [], [STOP]: () => (isBack ? {} : refusal(503, "DATABASE_UNAVAILABLE", "LUNA is not available.")) });
  await press();
  const alert = await screen.findByText(/LUNA is not available/);
  expect(alert.closest("[role=alert]")?.textContent).toMatch(/button on the robot/);
  isBack = true;
  await waitFor(() => expect(screen.queryByText(/LUNA is not available/)).toBeNull());
  expect(sent.filter(({ call }) => call === STOP).length).toBeGreaterThan(1);
});

test("an order without an answer is sent again after 2 s, and the button stays enabled", async () => {
  const sent = await show("/alerts", { "GET /deliveries/alerts": [], [STOP]: () => new Promise(() => undefined) });
  await press();
  await press();
  expect(screen.getAllByRole<HTMLButtonElement>("button", { name: "Stop all robots", hidden: true }).some((button) => button.disabled)).toBe(false);
  await waitFor(() => expect(sent.filter(({ call }) => call === STOP).length).toBeGreaterThan(3), { timeout: 10_000 });
});

test("without the live view proofs are asked for each second; a robot that does not stand raises an alarm with its place", async () => {
  const state = { stop_version: 1, latched: true, reason: "x", by: null, at: null, robots: [{ id: "x1", robot_name: "luna-bot-1", state: "RECEIVED", at: null }] };
  const sent = await show("/alerts", { "GET /deliveries/alerts": [], "GET /robot/status": [ROBOT], [STOP]: {}, [STATE]: () => state });
  await press();
  expect((await screen.findByText(/luna-bot-1 has not confirmed that it stands/)).textContent).toMatch(/Lift.*red button on the robot/);
  await waitFor(() => expect(sent.filter(({ call }) => call === STATE).length).toBeGreaterThan(1));
  state.robots = [{ id: "x1", robot_name: "luna-bot-1", state: "MOTION_STOPPED", at: null }];
  await waitFor(() => expect(screen.queryByText(/has not confirmed/)).toBeNull());
  expect(screen.getByText("1 of 1 stopped robots stand still.")).toBeDefined();
});

test("while the sign-in covers the page, a stop that does not reach LUNA says so above it", async () => {
  await show("/alerts", { "GET /deliveries/alerts": [] });
  await screen.findByRole("heading", { name: "Alerts" });
  act(() => session.end());
  await screen.findByRole("dialog", { name: "Sign in again" });
  await press();
  const alert = await screen.findByText(/The stop did not reach LUNA/);
  expect(alert.closest("[inert]")).toBeNull();
  expect(alert.closest("[role=alert]")?.textContent).toMatch(/red button on the robot/);
});
