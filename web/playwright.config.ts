import { defineConfig } from "@playwright/test";

// Chromium of the system: no browser is downloaded. As root it needs --no-sandbox.
const args = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results/runs", // emptied by each run; the pictures beside it stay
  timeout: 90_000,
  expect: { timeout: 15_000 },
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
  projects: [
    { name: "scenarios", testMatch: /scenarios\/(?!9\d).*\.spec\.ts/ },
    { name: "accessibility", testMatch: /accessibility\/.*\.spec\.ts/ },
    // These disturb others or are disturbed by them: one after the other.
    { name: "outages", testMatch: /scenarios\/98.*\.spec\.ts/, dependencies: ["scenarios", "accessibility"] },
    { name: "stop", testMatch: /scenarios\/99.*\.spec\.ts/, dependencies: ["outages"] },
    { name: "speed", testMatch: /speed\/.*\.spec\.ts/, dependencies: ["stop"], workers: 1 },
  ],
});
