import { defineConfig } from "@playwright/test";
import tests from "./playwright.config";

/** `npm run bench`: figures instead of verdicts. */
export default defineConfig(tests, {
  testDir: "bench",
  testMatch: "*.bench.ts",
  reporter: [["line"]],
  timeout: 300_000,
});
