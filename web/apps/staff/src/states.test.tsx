// The states of every page whose data does not come (G3): loading, failed, forbidden.
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show } from "./testing";

/** Each page with the call it cannot do without. */
const PAGES = [
  ["/", "GET /deliveries"], ["/pick-list", "GET /deliveries/pick-list"], ["/load", "GET /deliveries"], ["/map", "GET /robot/map"], ["/alerts", "GET /deliveries/alerts"],
  ["/catalogue", "GET /books"], ["/catalogue/b1", "GET /books/b1"], ["/imports", "GET /books/bulk-import"], ["/imports/j1", "GET /books/bulk-import/j1"],
  ["/desk?q=mira", "GET /auth/members"], ["/members", "GET /auth/members"], ["/lists", "GET /loans/lists/overdue"], ["/figures", "GET /deliveries/analytics"],
  ["/accounts", "GET /auth/users"], ["/fleet", "GET /robot/robots"], ["/audit", "GET /auth/audit-logs"],
] as const;
const ADMIN = { role: "ADMIN" };

test.each(PAGES)("%s says that it loads, what failed and under which id, tries again, and says what is not open", async (path, call) => {
  await show(path, { [call]: () => new Promise(() => undefined) }, ADMIN);
  expect((await screen.findAllByRole("status", { name: "Loading" })).length).toBeGreaterThan(0);

  const sent = await show(path, { [call]: refusal(500, "INTERNAL_ERROR", "It failed.") }, ADMIN);
  const alert = (await screen.findByText(/req_test/)).closest<HTMLElement>("[role=alert]");
  expect(alert?.textContent).toContain("It failed.");
  const before = sent.filter((each) => each.call === call).length;
  fireEvent.click(alert?.querySelector("button") as HTMLButtonElement);
  await waitFor(() => expect(sent.filter((each) => each.call === call).length).toBeGreaterThan(before));

  await show(path, { [call]: refusal(403, "ROLE_NOT_ALLOWED", "Your role does not allow this.") }, ADMIN);
  expect(await screen.findByText("Your role does not allow this.")).toBeDefined();
});
