// Browsers of the demo's people. Every test fails on a console error, a policy violation or a request elsewhere.
import { test as base, expect, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from "@playwright/test";
import type { Person } from "./people";
import { signedIn } from "./system";

export { expect };
export * from "./people";
export const PHONE = { width: 360, height: 780 };
export const DESK = { width: 1280, height: 800 };

export interface Fixtures {
  /** A page of a person who has signed in earlier; `signIn` does it as a person does. */
  open: (person: Person, path: string, options?: BrowserContextOptions) => Promise<Page>;
  /** A page of nobody. */
  visit: (path: string) => Promise<Page>;
  newPage: (options?: BrowserContextOptions) => Promise<Page>;
  /** A browser with a profile of its own; each of its pages is watched. The only way to get one (lint). */
  newContext: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** Expect console errors of this form: those that a scenario causes itself. */
  ignoring: (expected: RegExp) => void;
  expected: RegExp[];
}

export const test = base.extend<Fixtures>({
  expected: async ({}, provide) => provide([]), // eslint-disable-line no-empty-pattern -- Playwright reads the names from the pattern
  ignoring: async ({ expected }, provide) => provide((pattern) => void expected.push(pattern)),
  open: async ({ newPage }, provide) =>
    provide(async (person, path, options) => {
      const page = await newPage({ ...options, storageState: await signedIn(person) });
      await page.goto(path);
      return page;
    }),
  visit: async ({ newPage }, provide) =>
    provide(async (path) => {
      const page = await newPage();
      await page.goto(path);
      return page;
    }),
  newPage: async ({ newContext }, provide) => provide(async (options) => (await newContext(options)).newPage()),
  newContext: async ({ browser, baseURL, expected }, provide) => {
    const problems: string[] = [];
    const contexts: BrowserContext[] = [];
    await provide(async (options) => {
      const context = await browser.newContext({ viewport: PHONE, baseURL, ...options }); // eslint-disable-line no-restricted-syntax -- the place that watches
      watch(context, new URL(baseURL ?? "").origin, problems);
      contexts.push(context);
      return context;
    });
    for (const context of contexts) await context.close();
    const unexpected = problems.filter((problem) => !expected.some((pattern) => pattern.test(problem)));
    expect(unexpected, "console errors, policy violations, requests to other hosts").toEqual([]);
  },
});

function watch(context: BrowserContext, origin: string, problems: string[]): void {
  context.on("console", (message) => message.type() === "error" && problems.push(`${message.text()} ${message.location().url}`));
  context.on("weberror", (error) => problems.push(error.error().message));
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(?:data|blob):/.test(url)) problems.push(`request to ${url}`);
  });
}

export async function signIn(page: Page, person: Person, path: string): Promise<void> {
  await page.goto(path);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel(/^Password/).fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor({ state: "detached" });
}

/** How a person works a page: by pointer, or by keyboard alone. */
export interface Hands {
  press: (page: Page, target: Locator) => Promise<void>;
  type: (page: Page, target: Locator, text: string) => Promise<void>;
  tick: (page: Page, target: Locator) => Promise<void>;
}

export const POINTER: Hands = {
  press: (_page, target) => target.click(),
  type: (_page, target, text) => target.fill(text),
  tick: (_page, target) => target.check({ force: true }), // the label covers it, as it does for a finger
};

export const KEYBOARD: Hands = {
  press: async (page, target) => {
    await tabTo(page, target);
    await page.keyboard.press("Enter");
  },
  type: async (page, target, text) => {
    await tabTo(page, target);
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(text, { delay: 120 });
  },
  tick: async (page, target) => {
    await tabTo(page, target);
    await page.keyboard.press("Space");
  },
};

const MAX_TABS = 200;

/** Reach an element as a keyboard does, by Tab alone. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor({ state: "attached" });
  for (let presses = 0; presses < MAX_TABS; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${target}`);
}

/** Open a card of the board; one that changes its lane while it is pressed is another element, which was not pressed. */
export async function openCard(page: Page, card: Locator, press = POINTER.press): Promise<void> {
  const dialog = page.getByRole("dialog");
  await expect(async () => {
    if (!(await dialog.isVisible())) await press(page, card.getByRole("button"));
    await expect(dialog).toBeVisible({ timeout: 5000 });
  }).toPass({ timeout: 60_000 });
}

/** Type a code as a hand scanner does: all keys within milliseconds, wherever the focus is. */
export async function scan(page: Page, code: string): Promise<void> {
  await page.evaluate((text) => {
    for (const key of [...text, "Enter"]) (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }, code);
}

/** Write a picture for the documentation, light and dark. */
export async function picture(page: Page, name: string): Promise<void> {
  for (const [colorScheme, suffix] of [["dark", "-dark"], ["light", ""]] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `test-results/pictures/${name}${suffix}.png`, animations: "disabled" });
  }
}
