import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show } from "../../testing";

test("whom the server refuses reads why", async () => {
  await show("/audit", { "GET /auth/audit-logs": refusal(403, "ROLE_NOT_ALLOWED", "Your role does not allow this.") });
  expect(await screen.findByText("Your role does not allow this.")).toBeDefined();
});
