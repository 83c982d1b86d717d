import { defineConfig } from "@playwright/test";

// Chromium of the system: no browser is downloaded. As root it needs --no-sandbox.
const args = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

// One after the other: the main journeys first, which are what must be known where time is short; speed last,
// with nothing beside it. The stop and outages disturb everything else.
const scenarios = { name: "scenarios", testMatch: /scenarios\/(?!9\d).*\.spec\.ts/ };
const stop = { name: "stop", testMatch: /scenarios\/99.*\.spec\.ts/, dependencies: ["scenarios"] };
const isCore = process.env.LUNA_TEST_BROWSER === "core"; // `./luna test browser --core`
const isShort = process.env.LUNA_TEST_BROWSER === "short"; // `--short`: speed before what takes long, so that it is measured where time is over
const accessibility = { name: "accessibility", testMatch: /accessibility\/.*\.spec\.ts/, fullyParallel: true, dependencies: [isShort ? "speed" : "stop"] };
const outages = { name: "outages", testMatch: /scenarios\/98.*\.spec\.ts/, dependencies: ["accessibility"] };
const speed = { name: "speed", testMatch: /speed\/.*\.spec\.ts/, dependencies: [isShort ? "stop" : "outages"], workers: 1 };

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results/runs", // emptied by each run; the pictures beside it stay
  timeout: 120_000,
  expect: { timeout: 30_000 }, // of a slow machine; what must be faster has a bar of its own
  fullyParallel: false,
  workers: 2,
  reporter: [["list"], ["./e2e/report.ts"]],
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
  projects: isCore ? [scenarios, stop] : [scenarios, stop, accessibility, outages, speed],
});
