// A new version of the pages, as `luna up` publishes it: the link to the pages leads to another folder.
import { appendFileSync, cpSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, signIn, test } from "../fixtures";
import { newStudent } from "../system";

const LINK = join(process.env.LUNA_HOME ?? "", "run", "pages");

function publish(target: string): void {
  symlinkSync(target, `${LINK}.new`);
  renameSync(`${LINK}.new`, LINK);
}

/** Publish a copy whose service worker differs; return how to go back. */
function publishNewVersion(): () => void {
  const present = readlinkSync(LINK);
  const copy = `${LINK}-next`;
  cpSync(present, copy, { recursive: true });
  rmSync(join(copy, "sw.js.gz"), { force: true });
  appendFileSync(join(copy, "sw.js"), "\n// the next version\n");
  publish(copy);
  return () => publish(present);
}

test("a new version is offered and taken when its reader wants it", async ({ newPage }) => {
  const page = await newPage({ serviceWorkers: "allow" });
  await signIn(page, await newStudent("Mira", "Lund"), "/loans");
  await expect.poll(() => page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state)).toBe("activated");
  await page.reload(); // now the worker serves the page
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  const restore = publishNewVersion();
  try {
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
    await expect(page.getByText("A new version is ready.")).toBeVisible();
    await expect(page.getByRole("heading", { name: "Your loans" })).toBeVisible(); // it has not reloaded by itself
    await page.evaluate(() => Object.assign(globalThis, { isOld: true }));
    const reload = page.getByRole("button", { name: "Reload" });
    await reload.click();
    await expect.poll(() => page.evaluate(() => "isOld" in globalThis).catch(() => true)).toBe(false);
    await expect(async () => {
      if (await reload.isVisible()) await reload.click(); // Chromium kept the old worker for the reload: it is offered again
      await expect(page.getByText("A new version is ready.")).toHaveCount(0, { timeout: 5000 });
    }).toPass({ timeout: 60_000 });
    await expect(page.getByRole("heading", { name: "Your loans" })).toBeVisible();
  } finally {
    restore();
  }
});
