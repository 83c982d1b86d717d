import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

test("sums are the server's, in a table", async () => {
  const figures = { total: 12, durations: [], robots: [], by_status: [{ name: "COMPLETED", count: 9 }, { name: "CANCELLED", count: 3 }], by_type: [], failures: [], by_place: [], by_hour: [] };
  await show("/figures", { "GET /deliveries/analytics": figures });
  expect((await screen.findByRole("row", { name: /Completed/ })).textContent).toContain("9");
});
