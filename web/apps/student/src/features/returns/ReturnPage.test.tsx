import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { may, refusal, show } from "../../testing";

const TASK = { id: "t1", reference: "D-1", status: "IN_PROGRESS", stage: "LOADING", robot_name: "luna-bot-1", waiting_reason: null, queue_ahead: null, eta: null, eta_earliest: null, eta_latest: null, eta_reason: null, wait_until: "2026-01-01T10:09:00Z", stopped: false, robot_seen_at: null, robot_position: null };
const RETURN = { id: "x1", book_title: "Dune", pickup_location: "Study Room 201", status: "IN_PROGRESS", picked_up_at: null, history: [], task: TASK };
const answers = (more: object) => ({ "GET /returns/x1": { ...RETURN, ...more }, "GET /deliveries/locations": [], "GET /deliveries/floors": { version: 1, floors: [] } });

test("the loan ends when the robot has the book, and the page says so", async () => {
  await show("/returns/x1", answers({}));
  expect(await screen.findByRole("button", { name: "The robot has the book" })).toBeDefined();
  expect(screen.queryByText("The loan has ended: the robot has the book.")).toBeNull();
  await show("/returns/x1", answers({ picked_up_at: "2026-01-01T10:00:00Z" }));
  expect(await screen.findByText("The loan has ended: the robot has the book.")).toBeDefined();
  expect(screen.queryByRole("button", { name: "The robot has the book" })).toBeNull();
});

test("that the robot has the book is confirmed although it has reported meanwhile, unless that is allowed no more", async () => {
  for (const [actions, tags] of [[[may("PICKED_UP")], ['"1"', '"2"']], [[], ['"1"']]] as const) {
    let version = 1;
    const tagged = () => Response.json({ success: true, data: { ...RETURN, actions: version === 1 ? [may("PICKED_UP")] : actions } }, { headers: { ETag: `"${version}"` } });
    const sent = await show("/returns/x1", { ...answers({}), "GET /returns/x1": tagged, "PUT /returns/x1/picked-up": () => (sent.at(-1)?.headers.get("If-Match") === '"2"' ? tagged() : refusal(412, "STALE_VERSION", "Changed.")) });
    const pressed = await screen.findByRole("button", { name: "The robot has the book" });
    version = 2;
    fireEvent.click(pressed);
    const steps = () => sent.filter(({ call }) => call.endsWith("/picked-up"));
    await waitFor(() => expect(steps().length === 2 || screen.queryByRole("alert") !== null).toBe(true));
    expect(steps().map(({ headers }) => headers.get("If-Match"))).toEqual(tags);
  }
});
