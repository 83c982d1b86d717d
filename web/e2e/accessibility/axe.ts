// axe at three widths and in both themes: no violation (WCAG 2.2 AA), and nothing scrolls sideways.
import { expect, type Locator, type Page } from "@playwright/test";
import axe from "axe-core";
import { DESK, PHONE } from "../fixtures";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDTHS = [PHONE, { width: 768, height: 900 }, DESK];
const THEMES = ["light", "dark"] as const;

/** Check what a page shows now, once what it waits for is there. */
export async function check(page: Page, name: string, ready?: Locator): Promise<void> {
  await ready?.first().waitFor();
  await expect(page.locator(".skeleton")).toHaveCount(0);
  const size = page.viewportSize() ?? DESK;
  for (const viewport of WIDTHS) {
    await page.setViewportSize(viewport);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `${name} at ${viewport.width} px scrolls sideways`).toBeLessThanOrEqual(0);
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme });
      await atRest(page);
      expect.soft(await violations(page, colorScheme), `${name} at ${viewport.width} px, ${colorScheme}`).toEqual([]);
    }
  }
  await page.setViewportSize(size);
}

/** What axe finds; its script is sent once a document. The dark theme changes colours alone. */
async function violations(page: Page, theme: (typeof THEMES)[number]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  const runOnly: axe.RunOnly = theme === "dark" ? { type: "rule", values: ["color-contrast"] } : { type: "tag", values: TAGS };
  return page.evaluate(async (only) => {
    const { violations: found } = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, { runOnly: only, resultTypes: ["violations"], preload: false });
    return found.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
  }, runOnly);
}

/** Wait for dialogs that fade in: what is half transparent has no contrast of its own. */
function atRest(page: Page): Promise<unknown> {
  return page.evaluate(() => {
    const ending = document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime !== Infinity);
    const ended = Promise.all(ending.map((each) => each.finished.catch(() => null)));
    return Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000))]); // one that is held never ends
  });
}

/** Press keys that move the focus: what has it is never beneath a bar (WCAG 2.4.11). */
export async function focusStaysVisible(page: Page, keys: string[]): Promise<void> {
  for (const key of keys) {
    await page.keyboard.press(key);
    const hidden = await page.evaluate(() => {
      const target = document.activeElement?.closest("label") ?? document.activeElement;
      if (!target || target === document.body) return "";
      const { left, top, width, height } = target.getBoundingClientRect();
      const met = document.elementFromPoint(left + width / 2, top + Math.min(height, innerHeight) / 2);
      return met && (target.contains(met) || met.contains(target)) ? "" : `${target.outerHTML.slice(0, 120)} is beneath ${met?.outerHTML.slice(0, 120) ?? "nothing"}`;
    });
    expect(hidden).toBe("");
  }
}

/** Follow a link of the navigation to a page with its heading. */
export async function go(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation").getByRole("link", { name: new RegExp(`^${name}`) }).click(); // a number of unread messages may follow
  await page.getByRole("heading", { level: 1 }).first().waitFor();
}
