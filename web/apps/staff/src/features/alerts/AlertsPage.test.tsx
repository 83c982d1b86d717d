import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const ALERT = { id: "a1", severity: "CRITICAL", message: "luna-bot-1 is stuck.", count: 4, first_at: "2026-01-01T10:00:00Z", last_at: "2026-01-01T11:00:00Z", claimed_by: null, resolved_at: null, resolved_by: null, resolution: null, suggested_actions: [], task_id: null, robot_id: "x1" };

test("a fault that repeats is one row, and no answer has the focus", async () => {
  await show("/alerts", { "GET /deliveries/alerts": [ALERT] });
  expect((await screen.findByText(/4 times/)).closest("li")?.textContent).toContain("luna-bot-1 is stuck.");
  expect(document.activeElement?.tagName).not.toBe("BUTTON");
});
