// axe on every page, at three widths and in both themes: no violations (WCAG 2.2 AA).
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { ADMIN, DESK, expect, LIBRARIAN, PHONE, test, THIRD } from "../fixtures";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDTHS = [PHONE, { width: 768, height: 900 }, DESK];
const THEMES = ["light", "dark"] as const;

async function check(page: Page, name: string): Promise<void> {
  for (const viewport of WIDTHS) {
    await page.setViewportSize(viewport);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `${name} at ${viewport.width} px scrolls sideways`).toBeLessThanOrEqual(0);
    const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
    const found = violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
    expect(found, `${name} at ${viewport.width} px`).toEqual([]);
  }
}

for (const theme of THEMES) {
  test(`student pages, ${theme}`, async ({ open }) => {
    test.setTimeout(180_000);
    const page = await open(THIRD, "/", { colorScheme: theme });
    await page.locator(".book-card").first().waitFor();
    await check(page, "search");
    await page.locator(".book-card a").first().click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.locator(".facts").first().waitFor();
    await check(page, "book");
    await page.getByRole("link", { name: "Have it brought to me" }).click();
    await page.locator(".place").first().click();
    await check(page, "request");
    for (const name of ["Requests", "Loans", "Messages", "Profile"]) {
      await page.getByRole("navigation").getByRole("link", { name }).click();
      await page.getByRole("heading", { level: 1 }).waitFor();
      await expect(page.locator(".skeleton")).toHaveCount(0);
      await check(page, name);
    }
    await page.getByRole("button", { name: "Sign out", exact: true }).last().click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await check(page, "sign-in");
    await page.getByRole("link", { name: "Create an account" }).click();
    await page.getByRole("heading", { name: "Create an account" }).waitFor();
    await check(page, "register");
  });

  test(`staff pages, ${theme}`, async ({ open }) => {
    test.setTimeout(180_000);
    const page = await open(LIBRARIAN, "/staff/", { colorScheme: theme, viewport: DESK });
    for (const name of ["Today", "Pick list", "Load and receive", "Robots", "Alerts", "Catalogue", "Import", "Desk", "Figures"]) {
      await page.getByRole("navigation").getByRole("link", { name }).click();
      await page.getByRole("heading", { level: 1 }).waitFor();
      await expect(page.locator(".skeleton")).toHaveCount(0);
      await check(page, name);
    }
    await page.getByRole("navigation").getByRole("link", { name: "Catalogue" }).click();
    await page.locator("tbody a").first().click();
    await page.getByRole("heading", { name: "Copies" }).waitFor();
    await check(page, "title");
  });

  test(`pages of administrators, ${theme}`, async ({ open }) => {
    test.setTimeout(180_000);
    const page = await open(ADMIN, "/staff/members", { colorScheme: theme, viewport: DESK });
    for (const name of ["Members", "Accounts", "Fleet", "Audit log"]) {
      await page.getByRole("navigation").getByRole("link", { name }).click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
      await page.locator("tbody tr").first().waitFor();
      await check(page, name);
      const opener = page.locator("tbody .link-button").first();
      if (!(await opener.count())) continue;
      await opener.click();
      await page.getByRole("dialog").waitFor();
      await expect(page.getByRole("dialog").locator(".skeleton")).toHaveCount(0);
      await check(page, `${name}, dialog`);
      await page.keyboard.press("Escape");
    }
  });
}
