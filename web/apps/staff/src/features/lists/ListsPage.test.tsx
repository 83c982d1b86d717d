import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

test("each list has its own columns", async () => {
  await show("/lists?name=high-demand", { "GET /loans/lists/high-demand": [{ id: "b1", title: "Dune", author: "Frank Herbert", waiting: 12, copies_total: 2 }] });
  expect((await screen.findByRole("row", { name: /Dune/ })).textContent).toContain("12");
});
