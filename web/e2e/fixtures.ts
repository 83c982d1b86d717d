// Pages signed in as the demo's people. Every test fails on a console error or a request elsewhere.
import { test as base, expect, type Browser, type BrowserContextOptions, type Page } from "@playwright/test";

export { expect };
export const STUDENT = { email: "student@luna.example", password: "Bicycle!88!river" };
export const OTHER = { email: "kenji@luna.example", password: "Teacup_31_orchard" };
export const THIRD = { email: "amara@luna.example", password: "Compass#65#violet" };
export const ADMIN = { email: "admin@luna.example", password: "Lantern-42-harbour" };
export const LIBRARIAN = { email: "librarian@luna.example", password: "Catalogue-7-maple" };
export type Person = typeof STUDENT;
export const PHONE = { width: 360, height: 780 };
export const DESK = { width: 1280, height: 800 };

interface Fixtures {
  open: (person: Person, path: string, options?: BrowserContextOptions) => Promise<Page>;
  /** Expect console errors of this form: those that a scenario causes itself. */
  ignoring: (expected: RegExp) => void;
  expected: RegExp[];
}

export const test = base.extend<Fixtures>({
  expected: async ({}, provide) => provide([]), // eslint-disable-line no-empty-pattern -- Playwright reads the names from the pattern
  ignoring: async ({ expected }, provide) => provide((pattern) => void expected.push(pattern)),
  open: async ({ browser, baseURL, expected }, provide) => {
    const problems: string[] = [];
    const pages: Page[] = [];
    await provide(async (person, path, options = {}) => {
      const page = await newPage(browser, new URL(baseURL ?? "").origin, problems, options);
      pages.push(page);
      await signIn(page, person, path);
      return page;
    });
    for (const page of pages) await page.context().close();
    const unexpected = problems.filter((problem) => !expected.some((pattern) => pattern.test(problem)));
    expect(unexpected, "console errors, policy violations, requests to other hosts").toEqual([]);
  },
});

async function newPage(browser: Browser, origin: string, problems: string[], options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ viewport: PHONE, ...options });
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(?:data|blob):/.test(url)) problems.push(`request to ${url}`);
  });
  return page;
}

export async function signIn(page: Page, person: Person, path: string): Promise<void> {
  await page.goto(path);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel(/^Password/).fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor({ state: "detached" });
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
