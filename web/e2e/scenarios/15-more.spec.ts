import { expect, OTHER, test } from "../fixtures";

test("how much of a list is shown stands in the address: back and a reload show as much, at the same place", async ({ open }) => {
  const page = await open(OTHER, "/");
  const cards = page.locator(".book-card");
  await expect(cards).toHaveCount(20);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(cards).toHaveCount(40);
  await expect(page).toHaveURL(/pages=2/);
  const link = cards.nth(33).getByRole("link");
  await link.scrollIntoViewIfNeeded();
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBeGreaterThan(1000);
  const left = await page.evaluate(() => window.scrollY);
  const isThere = async () => Math.abs((await page.evaluate(() => window.scrollY)) - left) < 200;
  await link.click();
  await expect(page).toHaveURL(/\/books\//);
  await page.goBack();
  await expect(cards).toHaveCount(40);
  await expect.poll(isThere).toBe(true);
  await page.reload();
  await expect(cards).toHaveCount(40);
  await expect.poll(isThere).toBe(true);
});
