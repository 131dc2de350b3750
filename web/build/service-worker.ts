import { createHash } from "node:crypto";
import type { Plugin } from "vite";

/** Tells the service worker which files the app consists of, and a version that changes with any of them. */
export function serviceWorker(alsoKept: string[]): Plugin {
  return {
    name: "service-worker",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const worker = bundle["sw.js"];
        if (worker?.type !== "chunk") throw new Error("src/sw.ts was not built");
        const code = Object.keys(bundle).filter((name) => /^assets\/.*\.(js|css)$/.test(name));
        const digest = createHash("sha256");
        for (const file of Object.values(bundle)) digest.update(file.type === "chunk" ? file.code : file.source);
        worker.code = worker.code
          .replace("__FILES__", JSON.stringify(["./", ...code, ...alsoKept]))
          .replace("__VERSION__", digest.digest("hex").slice(0, 12));
      },
    },
  };
}
