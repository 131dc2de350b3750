import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";

/** The files of Swagger UI that /docs loads, so that the page needs no other host. */
export function swaggerUi(): Plugin {
  return {
    name: "swagger-ui",
    generateBundle() {
      const find = createRequire(import.meta.url).resolve;
      for (const name of ["swagger-ui-bundle.js", "swagger-ui.css", "LICENSE"]) {
        const source = readFileSync(find(`swagger-ui-dist/${name}`), "utf-8").replace(/^\/[/*]# sourceMapping.*$/m, "");
        this.emitFile({ type: "asset", fileName: `docs/${name === "LICENSE" ? "LICENSE.txt" : name}`, source });
      }
    },
  };
}
