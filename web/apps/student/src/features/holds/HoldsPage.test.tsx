import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { may, show } from "../../testing";

const HOLD = { id: "h1", book_id: "b1", book_title: "Dune", status: "QUEUED", position: 7, expected_at: null, ready_until: null, suspended_until: null, actions: [may("CANCEL_HOLD")] };

test("the place in the queue is the server's, and only what it allows is offered", async () => {
  await show("/holds", { "GET /holds": (_: unknown, query: URLSearchParams) => (query.get("status") === "QUEUED" ? [HOLD] : []) });
  expect(await screen.findByText("Number 7 in the queue")).toBeDefined();
  expect(screen.getByRole("button", { name: "Leave the queue" })).toBeDefined();
  expect(screen.queryByRole("button", { name: /Pause/ })).toBeNull();
});
