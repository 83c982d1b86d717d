import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show } from "../../testing";

const ALERT = { id: "a1", severity: "CRITICAL", message: "luna-bot-1 is stuck.", count: 4, first_at: "2026-01-01T10:00:00Z", last_at: "2026-01-01T11:00:00Z", claimed_by: null, resolved_at: null, resolved_by: null, resolution: null, suggested_actions: [], task_id: null, robot_id: "x1", version: 4 };

test("a fault that repeats is one row, and no answer has the focus", async () => {
  await show("/alerts", { "GET /deliveries/alerts": [ALERT] });
  expect((await screen.findByText(/4 times/)).closest("li")?.textContent).toContain("luna-bot-1 is stuck.");
  expect(document.activeElement?.tagName).not.toBe("BUTTON");
});

test("an alert that has changed meanwhile is not resolved; it is read again, and the note stays", async () => {
  let count = 4;
  const sent = await show("/alerts", { "GET /deliveries/alerts": () => [{ ...ALERT, count, version: count + 22 }], "PUT /deliveries/alerts/a1/resolve": refusal(412, "STALE_VERSION", "Changed.") });
  fireEvent.click(await screen.findByRole("button", { name: "Resolve …" }));
  fireEvent.change(screen.getByRole("textbox"), { target: { value: "Reset by hand" } });
  count = 5;
  fireEvent.submit(screen.getByRole("textbox").closest("form") as HTMLFormElement);
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("This has changed meanwhile."));
  expect(sent.find(({ call }) => call.endsWith("/resolve"))?.headers.get("If-Match")).toBe('"1a"');
  expect(await screen.findByText(/5 times/)).toBeDefined();
  expect(screen.getByRole<HTMLInputElement>("textbox").value).toBe("Reset by hand");
});
