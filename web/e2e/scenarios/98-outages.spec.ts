import type { Page } from "@playwright/test";
import { DESK, expect, LIBRARIAN, test } from "../fixtures";
import { keptDown, suspended } from "../system";

const OUTAGE = 20_000; // ms
const live = (page: Page) => page.getByText("Live", { exact: true });

/** The board as text, without ages, which pass. */
async function board(page: Page): Promise<string> {
  await page.locator(".lane").first().waitFor();
  return (await page.locator(".board").innerText()).replaceAll(/\d+ (?:sec|min|hr|days?)\b.*/g, "");
}

async function equalsFreshLoad(page: Page, fresh: Page): Promise<void> {
  await expect(live(page)).toBeVisible({ timeout: 40_000 });
  await expect(page.getByText(/^Not current/)).toHaveCount(0);
  await expect.poll(async () => (await board(page)) === (await board(fresh)), { timeout: 20_000 }).toBe(true);
}

for (const [what, down] of [["the network", null], ["the notification service", "notification-service"], ["Redis", "redis"]] as const) {
  test(`${what} is away for 20 s: data is marked with its age, then equals a fresh load`, async ({ open, ignoring }) => {
    test.setTimeout(150_000);
    ignoring(/ERR_INTERNET_DISCONNECTED|status of 50\d|status of 429|WebSocket connection/);
    const page = await open(LIBRARIAN, "/staff/", { viewport: DESK });
    await expect(live(page)).toBeVisible();
    await page.locator(".lane").first().waitFor();
    const outage = await begin(page, down);
    const until = Date.now() + OUTAGE;
    await expect(page.getByText(/^(?:Reconnecting|Offline)$/)).toBeVisible({ timeout: 15_000 });
    await expect(page.getByText(/^Not current: last updated/)).toBeVisible({ timeout: 25_000 });
    await expect.poll(() => Date.now() >= until, { timeout: OUTAGE + 5000 }).toBe(true);
    await outage.end();
    await equalsFreshLoad(page, await open(LIBRARIAN, "/staff/", { viewport: DESK }));
  });
}

async function begin(page: Page, down: string | null): Promise<{ end: () => unknown }> {
  if (down === null) {
    await page.context().setOffline(true);
    return { end: () => page.context().setOffline(false) };
  }
  if (down === "redis") {
    const redis = suspended(down);
    return { end: redis.resume };
  }
  const service = keptDown(down);
  return { end: service.stop };
}
