// A part of LUNA that is away for 20 s: the badge, the age of data, and afterwards the same as a fresh load.
import type { Page } from "@playwright/test";
import { DESK, expect, LIBRARIAN, type Fixtures } from "./fixtures";
import { call, copyOf, newStudent, requested } from "./system";

const OUTAGE = 20_000; // ms
const live = (page: Page) => page.getByText("Live", { exact: true });

/** The page as text, without ages, which pass on each page by itself, and arrivals, which are revised each second. */
async function board(page: Page): Promise<string> {
  return (await page.locator("main").innerText({ timeout: 5000 })).replaceAll(/\d+ (?:sec|min|hr|day)s?\b.*|about \d\d:\d\d/g, "");
}

async function equalsFreshLoad(page: Page, fresh: Page): Promise<void> {
  await expect(live(page)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/^Not current/)).toHaveCount(0);
  await fresh.getByRole("heading", { name: "Today" }).waitFor();
  await expect(fresh.locator(".skeleton")).toHaveCount(0);
  await expect(async () => expect(await board(page)).toBe(await board(fresh))).toPass({ timeout: 30_000 });
}

/** Have the board open, with a request of a title, while something is away; `begin` returns what brings it back. */
export async function outlasts({ open, ignoring }: Pick<Fixtures, "open" | "ignoring">, title: string, begin: (page: Page) => Promise<() => unknown>): Promise<void> {
  ignoring(/ERR_INTERNET_DISCONNECTED|status of 50\d|status of 429|WebSocket connection/);
  const page = await open(LIBRARIAN, "/staff/", { viewport: DESK });
  await expect(live(page)).toBeVisible();
  const student = await newStudent("Noor", "Haddad");
  const { bookId } = await copyOf(title);
  const { id, task } = await requested(student, bookId, "Study Room 101"); // so that there is something to see
  await page.locator(".task-card", { hasText: task.reference }).waitFor();
  const end = await begin(page);
  const until = Date.now() + OUTAGE;
  await expect(page.getByText(/^(?:Reconnecting|Offline)$/)).toBeVisible();
  await expect(page.getByText(/^Not current: last updated/)).toBeVisible({ timeout: 40_000 });
  await expect.poll(() => Date.now() >= until, { timeout: OUTAGE + 5000 }).toBe(true);
  await end();
  await equalsFreshLoad(page, await open(LIBRARIAN, "/staff/", { viewport: DESK }));
  await call(student, "PUT", `/requests/${id}/cancel`, {});
}
