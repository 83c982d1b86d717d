import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const SESSIONS = [
  { id: "s1", user_agent: "Firefox", last_used_at: "2026-01-01T10:00:00Z", current: true },
  { id: "s2", user_agent: "A lost phone", last_used_at: "2026-01-01T09:00:00Z", current: false },
];

test("other devices are signed out at once, this one stays", async () => {
  const sent = await show("/profile", { "GET /auth/sessions": SESSIONS, "DELETE /auth/sessions": null });
  expect(await screen.findByText("A lost phone")).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: /other devices/i }));
  await waitFor(() => expect(sent.find(({ call }) => call === "DELETE /auth/sessions")?.query.get("keep_current")).toBe("true"));
});
