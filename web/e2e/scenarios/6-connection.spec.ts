// A short break; outages of whole parts are in 98-outages.
import { expect, OTHER, test } from "../fixtures";

test("without a connection the badge says so, and afterwards the page is current", async ({ open }) => {
  const page = await open(OTHER, "/");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await page.evaluate(() => window.dispatchEvent(new Event("offline")));
  await expect(page.getByText("Reconnecting")).toBeVisible();
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
});
