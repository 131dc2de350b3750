import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { serviceWorker } from "./build/service-worker.ts";
import { swaggerUi } from "./build/swagger-ui.ts";

const GATEWAY = process.env.HOWSFIT_URL ?? "http://127.0.0.1:8080";
const served = ["/v1", "/readyz", "/debug", "/docs", "/openapi.json", "^/stages/"];

export default defineConfig({
  // The built files find each other wherever they lie: below the path prefix of a proxy, too.
  base: "./",
  plugins: [react(), swaggerUi(), serviceWorker(["manifest.webmanifest", "icons/icon.svg"])],
  // The sample pictures come from the Python package.
  server: { fs: { allow: [".", "../howsfit/samples"] }, proxy: Object.fromEntries(served.map((at) => [at, GATEWAY])) },
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the policy of the page lets no data: script or style in
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { app: "index.html", sw: "src/sw.ts" },
      output: {
        entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  test: { include: ["tests/unit/**/*.test.ts"] },
});
