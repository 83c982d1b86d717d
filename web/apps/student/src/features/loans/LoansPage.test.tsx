import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { mayNot, show } from "../../testing";

const LOAN = { id: "l1", book_id: "b1", book_title: "Dune", barcode: "LB1", due_at: "2030-01-01T10:00:00Z", overdue: false, returned_at: null, version: 26, actions: [mayNot("RENEW", "Another reader waits for it.")] };

test("a loan that cannot be renewed says why", async () => {
  await show("/loans", { "GET /loans": [LOAN], "GET /returns": [], "GET /loans/summary": { open: 1, limit: 5 } });
  expect((await screen.findByRole<HTMLButtonElement>("button", { name: "Renew" })).disabled).toBe(true);
  expect(screen.getByText("Another reader waits for it.")).toBeDefined();
});

test("renewing all says for each loan what became of it", async () => {
  const results = [{ loan: { ...LOAN, due_at: "2030-02-01T10:00:00Z" }, renewed: false, reasons: [{ code: "HOLD", message: "Kept for the next reader." }] }];
  await show("/loans", { "GET /loans": [LOAN, { ...LOAN, id: "l2" }], "GET /returns": [], "GET /loans/summary": { open: 2, limit: 5 }, "PUT /loans/renew-all": { results } });
  fireEvent.click(await screen.findByRole("button", { name: /Renew all/ }));
  await waitFor(() => expect(screen.getByText(/Kept for the next reader/)).toBeDefined());
});
