import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const PLACES = [{ id: "p1", name: "Study Room 201", location_code: "SR-201", kind: "DELIVERY_POINT", floor: 2, x: 1, y: 1 }];
const ANSWERS = {
  "GET /books/b1": { id: "b1", title: "Dune", author: "Frank Herbert" },
  "GET /deliveries/locations": PLACES,
  "GET /requests/quote": { possible: true, code: null, queue_ahead: 0, eta_earliest: "2026-01-01T10:00:00Z", eta_latest: "2026-01-01T10:04:00Z" },
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
