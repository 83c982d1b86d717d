import { expect, OTHER, signIn, test } from "../fixtures";

test("without a connection loans and messages are readable, and what was read is sent afterwards", async ({ newContext, ignoring }) => {
  ignoring(/ERR_INTERNET_DISCONNECTED/);
  const context = await newContext({ serviceWorkers: "allow" });
  const page = await context.newPage();
  await signIn(page, OTHER, "/loans");
  await page.getByRole("heading", { name: "Your loans" }).waitFor();
  await expect(page.locator(".skeleton")).toHaveCount(0);
  await expect.poll(() => page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state)).toBe("activated");
  await expect.poll(() => page.evaluate(() => localStorage.getItem("luna.offline"))).toContain('"loans"');

  await context.setOffline(true);
  await page.goto("/loans");
  await expect(page.getByRole("heading", { name: "Your loans" })).toBeVisible();
  await expect(page.getByText("Offline", { exact: true })).toBeVisible();
  await expect(page.getByText(/^Not current: last updated/)).toBeVisible({ timeout: 20_000 });
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "No connection" })).toBeVisible({ timeout: 20_000 });

  await context.setOffline(false);
  await page.goto("/loans");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByText(/^Not current/)).toHaveCount(0);
  await page.getByRole("link", { name: "Profile" }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).last().click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  expect(await page.evaluate(() => localStorage.getItem("luna.offline"))).toBeNull();
});
