// The largest paint and the shifts of a first load on a slow phone: 4x CPU, 1.6 Mbit/s, 150 ms.
import type { Page } from "@playwright/test";
import { expect, OTHER, PHONE, signIn, test } from "../fixtures";

const MAX_LCP = 2500; // ms
const MAX_CLS = 0.05;

async function slowPhone(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  await devtools.send("Network.emulateNetworkConditions", { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 0.75e6 / 8 });
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
}

function vitals(page: Page): Promise<{ lcp: number; cls: number }> {
  return page.evaluate(
    () =>
      new Promise<{ lcp: number; cls: number }>((resolve) => {
        const found = { lcp: 0, cls: 0 };
        new PerformanceObserver((list) => (found.lcp = list.getEntries().at(-1)?.startTime ?? 0)).observe({ type: "largest-contentful-paint", buffered: true });
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) if (!entry.hadRecentInput) found.cls += entry.value;
        }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => resolve(found), 500);
      }),
  );
}

for (const [name, signedIn, ready] of [["the sign-in", false, "form.auth"], ["the search", true, ".book-card"]] as const) {
  test(`${name} is painted within ${MAX_LCP} ms on a slow phone`, async ({ browser, baseURL }) => {
    const context = await browser.newContext({ viewport: PHONE, baseURL });
    const page = await context.newPage();
    if (signedIn) await signIn(page, OTHER, "/profile");
    await slowPhone(page);
    await page.goto("/");
    await page.locator(ready).first().waitFor();
    const { lcp, cls } = await vitals(page);
    process.stdout.write(`  ${name}: LCP ${lcp.toFixed(0)} ms, CLS ${cls.toFixed(3)}\n`);
    expect(lcp).toBeGreaterThan(0);
    expect(lcp).toBeLessThanOrEqual(MAX_LCP);
    expect(cls).toBeLessThanOrEqual(MAX_CLS);
    await context.close();
  });
}
