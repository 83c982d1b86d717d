import { defineConfig } from "@playwright/test";

// Chromium of the system: no browser is downloaded. As root it needs --no-sandbox.
const args = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

// These disturb others or are disturbed by them: one after the other.
const scenarios = { name: "scenarios", testMatch: /scenarios\/(?!9\d).*\.spec\.ts/ };
const accessibility = { name: "accessibility", testMatch: /accessibility\/.*\.spec\.ts/, fullyParallel: true };
const outages = { name: "outages", testMatch: /scenarios\/98.*\.spec\.ts/, dependencies: ["accessibility", "scenarios"] };
const stop = { name: "stop", testMatch: /scenarios\/99.*\.spec\.ts/ };
const speed = { name: "speed", testMatch: /speed\/.*\.spec\.ts/, dependencies: ["stop"], workers: 1 };
const isCore = process.env.LUNA_TEST_BROWSER === "core"; // `./luna test browser --core`

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results/runs", // emptied by each run; the pictures beside it stay
  timeout: 120_000,
  expect: { timeout: 30_000 }, // of a slow machine; what must be faster has a bar of its own
  fullyParallel: false,
  workers: 2,
  reporter: "list",
  use: {
    baseURL: process.env.LUNA_ADDRESS ?? "http://127.0.0.1:8080",
    launchOptions: {
      executablePath: process.env.LUNA_CHROMIUM ?? "/usr/bin/chromium",
      args: process.getuid?.() === 0 ? ["--no-sandbox", ...args] : args,
    },
    serviceWorkers: "block",
    locale: "en-GB",
    trace: "off",
  },
  // the longest first, so that both workers end at about the same time
  projects: isCore ? [scenarios, { ...stop, dependencies: ["scenarios"] }] : [accessibility, scenarios, outages, { ...stop, dependencies: ["outages"] }, speed],
});
