import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const BOOK = { id: "b1", title: "Sapiens", author: "Yuval Noah Harari", status: "AVAILABLE", copies_available: 2, copies_total: 3, match: [] };
const found = (did_you_mean: string | null) => ({ "GET /books": () => Response.json({ success: true, data: [BOOK], pagination: { page: 1, limit: 20, total: 1, total_pages: 1 }, facets: [], did_you_mean }), "GET /books/suggest": [] });

test("a correction is shown and can be refused", async () => {
  const sent = await show("/?q=sapeins", found("sapiens"));
  fireEvent.click(await screen.findByRole("button", { name: "Search for exactly “sapeins”" }));
  await waitFor(() => expect(sent.some(({ call, query }) => call === "GET /books" && query.get("exact") === "true")).toBe(true));
});

test("the list says how many copies are free", async () => {
  await show("/", found(null));
  expect(await screen.findByText("2 of 3 available")).toBeDefined();
});

test("a number in the address is searched", async () => {
  const sent = await show("/?q=1984", found(null));
  expect((await screen.findByRole<HTMLInputElement>("combobox")).value).toBe("1984");
  await waitFor(() => expect(sent.filter(({ call }) => call === "GET /books").map(({ query }) => query.get("q"))).toEqual(["1984"]));
});

test("the field keeps the focus while its first letter becomes a search", async () => {
  await show("/", found(null));
  const box = await screen.findByRole("combobox");
  box.focus();
  fireEvent.change(box, { target: { value: "s" } });
  await waitFor(() => expect(location.search).toContain("q=s"));
  expect(document.activeElement).toBe(screen.getByRole("combobox"));
});

test("a search that is typed does not take back the page that is opened meanwhile", async () => {
  await show("/", { ...found(null), "GET /books/b1": { ...BOOK, contributors: [], subjects: [], actions: [] }, "GET /books/b1/availability": { available: true, copies_available: 1, copies_total: 1, shelves: [], holds_waiting: 0, next_due_at: null } });
  const link = await screen.findByRole("link", { name: "Sapiens" });
  fireEvent.change(screen.getByRole("combobox"), { target: { value: "sap" } });
  fireEvent.click(link);
  expect(await screen.findByRole("heading", { level: 1, name: "Sapiens" })).toBeDefined();
  await new Promise((resolve) => setTimeout(resolve, 400)); // longer than the pause in typing
  expect(location.pathname).toBe("/books/b1");
});
