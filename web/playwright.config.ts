import { defineConfig } from "@playwright/test";

// Chromium of the system: no browser is downloaded. As root it needs --no-sandbox.
const args = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
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
    { name: "scenarios", testMatch: /scenarios\/(?!99).*\.spec\.ts/ },
    { name: "accessibility", testMatch: /accessibility\/.*\.spec\.ts/ },
    { name: "stop", testMatch: /scenarios\/99.*\.spec\.ts/, dependencies: ["scenarios", "accessibility"] }, // it stops every robot
    { name: "speed", testMatch: /speed\/.*\.spec\.ts/, dependencies: ["stop"], fullyParallel: false, workers: 1 },
  ],
});
