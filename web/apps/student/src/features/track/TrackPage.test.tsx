import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { may, refusal, show } from "../../testing";

const TASK = {
  id: "t1", reference: "D-1", status: "IN_PROGRESS", stage: "TO_DESTINATION", robot_name: "luna-bot-1", waiting_reason: null, queue_ahead: null, eta: "2026-01-01T10:00:00Z",
  eta_earliest: "2026-01-01T10:00:00Z", eta_latest: "2026-01-01T10:04:00Z", eta_reason: null, wait_until: null, stopped: false, robot_seen_at: null, robot_position: null,
};
const request = (task: object, more: object = {}) => ({
  "GET /requests/r1": { id: "r1", book_title: "Dune", request_location: "Study Room 201", status: "IN_DELIVERY", handover_code: null, cancel_reason: null, history: [], actions: [], task: { ...TASK, ...task }, ...more },
  "GET /deliveries/locations": [], "GET /deliveries/floors": { version: 1, floors: [] },
});

test("a later arrival has a reason", async () => {
  await show("/requests/r1", request({ eta_reason: "DETOUR" }));
  expect((await screen.findByText(/the robot takes a longer way/)).textContent).toMatch(/^Later/);
});

test("a stop by staff is named", async () => {
  await show("/requests/r1", request({ stopped: true }));
  expect(await screen.findByText("Paused by staff.")).toBeDefined();
});

test("why a request has ended is said in words; what a person wrote stays as it is", async () => {
  await show("/requests/r1", request({ status: "CANCELLED", stage: null }, { status: "CANCELLED", cancel_reason: "CANCELLED_BY_MEMBER" }));
  expect(await screen.findByText("At the member’s own request")).toBeDefined();
  await show("/requests/r1", request({ status: "CANCELLED", stage: null }, { status: "CANCELLED", cancel_reason: "The cover is torn" }));
  expect(await screen.findByText("The cover is torn")).toBeDefined();
});

test("a request is cancelled whatever its robot has done meanwhile", async () => {
  const present = request({});
  const tagged = () => Response.json({ success: true, data: present["GET /requests/r1"] }, { headers: { ETag: '"1"' } });
  const sent = await show("/requests/r1", { ...present, "GET /requests/r1": tagged, "PUT /requests/r1/cancel": tagged });
  fireEvent.click(await screen.findByRole("button", { name: "Cancel this request" }));
  fireEvent.click(await screen.findByRole("button", { name: "Yes, cancel it" }));
  await waitFor(() => expect(sent.filter(({ call }) => call.endsWith("/cancel")).map(({ headers }) => headers.get("If-Match"))).toEqual([null]));
});

test("the code is shown at the hand-over alone", async () => {
  await show("/requests/r1", request({}, { handover_code: "4711" }));
  expect(await screen.findByRole("heading", { name: "Dune" })).toBeDefined();
  expect(screen.queryByText("4711")).toBeNull();
  await show("/requests/r1", request({ stage: "HANDOVER", wait_until: "2026-01-01T10:09:00Z" }, { handover_code: "4711", actions: [may("EXTEND")] }));
  expect(await screen.findByText("4711")).toBeDefined();
  expect(screen.getByRole("button", { name: "I need more time" })).toBeDefined();
  expect(screen.getByText(/waits until/i)).toBeDefined();
});

test("another place can be chosen only while the server allows it", async () => {
  await show("/requests/r1", request({}));
  await screen.findByRole("heading", { name: "Dune" });
  expect(screen.queryByRole("button", { name: "Change the place" })).toBeNull();
  await show("/requests/r1", request({}, { actions: [may("CHANGE_PLACE")] }));
  await waitFor(() => expect(screen.getByRole("button", { name: "Change the place" })).toBeDefined());
  fireEvent.click(screen.getByRole("button", { name: "Change the place" }));
  expect(await screen.findByRole("dialog")).toBeDefined();
});

test("a cancellation that fails says what to do, and pressed again it is the same call", async () => {
  let isBack = false;
  const present = request({ stage: null, status: "QUEUED" });
  const cancelled = { ...(present["GET /requests/r1"] as object), status: "CANCELLED", task: { ...TASK, status: "CANCELLED", stage: null } };
  const sent = await show("/requests/r1", { ...present, "PUT /requests/r1/cancel": () => (isBack ? cancelled : refusal(503, "SERVICE_UNAVAILABLE", "A part of the system is unavailable. Try again shortly.")) });
  fireEvent.click(await screen.findByRole("button", { name: "Cancel this request" }));
  const confirm = await screen.findByRole("button", { name: "Yes, cancel it" });
  fireEvent.click(confirm);
  await waitFor(() => expect(screen.getByRole("alert").textContent).toMatch(/Try again shortly.*req_test/));
  isBack = true;
  fireEvent.click(confirm);
  expect(await screen.findByText("This request was cancelled.")).toBeDefined();
  const keys = sent.filter(({ call }) => call === "PUT /requests/r1/cancel").map(({ headers }) => headers.get("Idempotency-Key"));
  expect(keys).toHaveLength(2);
  expect(keys[1]).toBe(keys[0]);
});

const WAITING = { stage: "HANDOVER", wait_until: "2026-01-01T10:09:00Z" };

/** A hand-over whose version is another by the time a step is sent; returns the tags that the step is sent with. */
async function pressAfterChange(button: string, step: string, name: string, fresh: object): Promise<(string | null)[]> {
  let version = 1;
  const before = request(WAITING, { copy_id: "c1", actions: [may(name)] })["GET /requests/r1"];
  const after = { ...(before as object), task: { ...TASK, ...WAITING }, ...fresh };
  const tagged = () => Response.json({ success: true, data: version === 1 ? before : after }, { headers: { ETag: `"${version}"` } });
  const answers = { ...request({}), "GET /requests/r1": tagged };
  const sent = await show("/requests/r1", { ...answers, [`PUT /requests/r1/${step}`]: () => (sent.at(-1)?.headers.get("If-Match") === '"2"' ? tagged() : refusal(412, "STALE_VERSION", "Changed.")) });
  const pressed = await screen.findByRole("button", { name: button });
  version = 2;
  fireEvent.click(pressed);
  const steps = () => sent.filter(({ call }) => call === `PUT /requests/r1/${step}`);
  await waitFor(() => expect(steps().length === 2 || screen.queryByRole("alert") !== null).toBe(true));
  return steps().map(({ headers }) => headers.get("If-Match"));
}

test("a hand-over is confirmed and extended although the robot has reported meanwhile", async () => {
  expect(await pressAfterChange("I have the book", "complete", "COMPLETE", {})).toEqual(['"1"', '"2"']);
  expect(await pressAfterChange("I need more time", "extend", "EXTEND", {})).toEqual(['"1"', '"2"']);
});

test("a step is not sent again where it is allowed no more, concerns another copy, or has been done", async () => {
  expect(await pressAfterChange("I have the book", "complete", "COMPLETE", { actions: [] })).toEqual(['"1"']);
  expect(await pressAfterChange("I have the book", "complete", "COMPLETE", { copy_id: "c2" })).toEqual(['"1"']);
  expect(await pressAfterChange("I need more time", "extend", "EXTEND", { task: { ...TASK, ...WAITING, wait_until: "2026-01-01T10:14:00Z" } })).toEqual(['"1"']);
});
