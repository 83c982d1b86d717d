import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const PLACES = [{ id: "p1", name: "Study Room 201", location_code: "SR-201", kind: "DELIVERY_POINT", floor: 2, x: 1, y: 1 }];
const ANSWERS = {
  "GET /books/b1": { id: "b1", title: "Dune", author: "Frank Herbert" },
  "GET /deliveries/locations": PLACES,
  "GET /requests/quote": { possible: true, code: null, queue_ahead: 0, eta_earliest: "2026-01-01T10:00:00Z", eta_latest: "2026-01-01T10:04:00Z" },
};

const CREATED = {
  id: "r1", book_title: "Dune", request_location: "Study Room 201", status: "PENDING", handover_code: null, cancel_reason: null, history: [], actions: [],
  task: { id: "t1", reference: "D-1", status: "PENDING", stage: null, robot_name: null, waiting_reason: null, queue_ahead: 0, eta: null, eta_earliest: null, eta_latest: null, eta_reason: null, wait_until: null, stopped: false, robot_seen_at: null, robot_position: null },
};

async function choosePlace(): Promise<HTMLElement> {
  fireEvent.click(await screen.findByRole("radio", { name: /Study Room 201/ }));
  return screen.getByRole("button", { name: "Request the book" });
}

test("the time of arrival is shown before the book is requested", async () => {
  await show("/books/b1/request", ANSWERS);
  await choosePlace();
  expect(await screen.findByText(/^Arrives at about/)).toBeDefined();
});

test("a double tap makes one request: both calls carry the same key", async () => {
  const sent = await show("/books/b1/request", { ...ANSWERS, "POST /requests": () => new Promise(() => undefined) });
  const confirm = await choosePlace();
  fireEvent.click(confirm);
  fireEvent.click(confirm);
  await waitFor(() => expect(sent.some(({ call }) => call === "POST /requests")).toBe(true));
  await waitFor(() => expect(confirm.getAttribute("data-loading")).toBe("true"));
  const before = sent.length;
  fireEvent.click(confirm);
  expect(sent).toHaveLength(before);
  expect(new Set(sent.filter(({ call }) => call === "POST /requests").map(({ headers }) => headers.get("Idempotency-Key"))).size).toBe(1);
});

test("presses after the answer, until the next page is there, make no second request", async () => {
  const sent = await show("/books/b1/request", { ...ANSWERS, "GET /deliveries/floors": { version: 1, floors: [] }, "POST /requests": CREATED, "GET /requests/r1": CREATED });
  const confirm = await choosePlace();
  for (let press = 0; press < 200 && confirm.isConnected; press += 1) {
    fireEvent.click(confirm);
    await act(() => new Promise((resolve) => setTimeout(resolve, 1)));
  }
  expect(confirm.isConnected).toBe(false);
  const keys = sent.filter(({ call }) => call === "POST /requests").map(({ headers }) => headers.get("Idempotency-Key"));
  expect(new Set(keys).size).toBe(1);
});
