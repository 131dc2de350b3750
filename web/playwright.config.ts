import { defineConfig, devices } from "@playwright/test";

/** Debian's Chromium; nothing is downloaded. As root, as in containers, it has no sandbox. */
const launchOptions = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
};

export default defineConfig({
  testDir: "tests/e2e",
  outputDir: "test-results",
  // One gateway for all: its stages use both cores.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 40_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"]],
  use: { launchOptions, locale: "en-GB", trace: "retain-on-failure", serviceWorkers: "block" },
  projects: [{ name: "chromium", use: { ...devices["Desktop Chrome"], viewport: { width: 1280, height: 900 } } }],
});
