import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

test("a visitor is led to the sign-in, a student is told where to go", async () => {
  await show("/alerts", {}, null);
  expect(await screen.findByRole("button", { name: "Sign in" })).toBeDefined();
  await show("/alerts", {}, { role: "STUDENT" });
  expect(await screen.findByRole("heading", { name: "This is not open to you", level: 1 })).toBeDefined();
});
