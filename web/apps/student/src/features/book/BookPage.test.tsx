import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { may, mayNot, show } from "../../testing";

const BOOK = { id: "b1", title: "Dune", author: "Frank Herbert", contributors: [], subjects: [], status: "AVAILABLE", actions: [may("REQUEST")] };
const NOW = { available: true, copies_available: 1, copies_total: 1, shelves: [], holds_waiting: 0, next_due_at: null };
const answers = (book: object) => ({ "GET /books/b1": { ...BOOK, ...book }, "GET /books/b1/availability": NOW });

test("what the server allows is offered", async () => {
  await show("/books/b1", answers({}));
  expect(await screen.findByRole("link", { name: "Have it brought to me" })).toBeDefined();
});

test("a book that cannot be requested says why", async () => {
  await show("/books/b1", answers({ actions: [mayNot("REQUEST", "You have reached your limit of 5 loans.")] }));
  expect(await screen.findByText("You have reached your limit of 5 loans.")).toBeDefined();
  expect(screen.queryByRole("link", { name: "Have it brought to me" })).toBeNull();
});
