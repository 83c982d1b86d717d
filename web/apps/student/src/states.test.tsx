// The states of every page whose data does not come (G3): loading, failed, forbidden.
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show } from "./testing";

/** Each page with the call it cannot do without. */
const PAGES = [
  ["/", "GET /books"], ["/books/b1", "GET /books/b1"], ["/books/b1/request", "GET /books/b1"], ["/requests", "GET /requests"], ["/requests/r1", "GET /requests/r1"],
  ["/loans", "GET /loans"], ["/loans/l1/return", "GET /loans/l1"], ["/returns/x1", "GET /returns/x1"], ["/holds", "GET /holds"],
  ["/notifications", "GET /notifications"], ["/profile", "GET /auth/sessions"],
] as const;

test.each(PAGES)("%s says that it loads, what failed and under which id, tries again, and says what is not open", async (path, call) => {
  await show(path, { [call]: () => new Promise(() => undefined) });
  expect((await screen.findAllByRole("status", { name: "Loading" })).length).toBeGreaterThan(0);

  const sent = await show(path, { [call]: refusal(500, "INTERNAL_ERROR", "It failed.") });
  const alert = (await screen.findByText(/req_test/)).closest<HTMLElement>("[role=alert]");
  expect(alert?.textContent).toContain("It failed.");
  const before = sent.filter((each) => each.call === call).length;
  fireEvent.click(alert?.querySelector("button") as HTMLButtonElement);
  await waitFor(() => expect(sent.filter((each) => each.call === call).length).toBeGreaterThan(before));

  await show(path, { [call]: refusal(403, "ROLE_NOT_ALLOWED", "Your role does not allow this.") });
  expect(await screen.findByText("Your role does not allow this.")).toBeDefined();
});
