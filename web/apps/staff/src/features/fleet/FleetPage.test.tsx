import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

test("a robot that has never been seen says so", async () => {
  const robot = { id: "x1", robot_name: "luna-bot-1", model: null, status: "IDLE", connectivity: "NEVER_SEEN", online: false, capabilities: {}, software_version: null, last_heartbeat: null, created_at: "2026-01-01T10:00:00Z", stopped: false };
  await show("/fleet", { "GET /robot/robots": [robot], "GET /robot/status": [robot] }, { role: "ADMIN" });
  await waitFor(() => expect(screen.getByText("luna-bot-1")).toBeDefined());
  fireEvent.click(screen.getByRole("button", { name: "Register a robot" }));
  expect(await screen.findByRole("dialog")).toBeDefined();
});
