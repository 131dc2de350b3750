import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "./house";
import { expect, heading, shoot, test } from "./test";

const NGINX = "/usr/sbin/nginx";

test("below a path of a proxy everything is found", async ({ page, house }) => {
  test.skip(!existsSync(NGINX), "no nginx here: apt-get install nginx-light");
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), "howsfit-proxy-"));
  const stop = serveBelow("/shop/tryon/", `${house.url}/`, port, folder);
  try {
    await expect(async () => {
      await fetch(`http://127.0.0.1:${port}/`);
    }).toPass();
    const outside: string[] = [];
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol === "http:" && !url.pathname.startsWith("/shop/tryon/")) outside.push(request.url());
    });
    page.on("response", (answer) => {
      if (answer.status() >= 400) outside.push(`${answer.status()} ${answer.url()}`);
    });
    await page.goto(`http://127.0.0.1:${port}/shop/tryon/`);
    await page.getByRole("button", { name: "Sample portrait" }).click();
    await page.getByRole("button", { name: "T-shirt", exact: true }).click();
    await page.getByRole("button", { name: "Try it on" }).click();
    await expect(heading(page)).toHaveText("Here you are");
    await shoot(page, "below-a-path", false);
    await page.reload();
    await expect(page.getByRole("img", { name: "You, wearing the garment" })).toBeVisible();
    await page.getByRole("link", { name: "Gallery" }).click();
    await expect(page.locator(".card img").first()).toBeVisible();
    await page.goto(`http://127.0.0.1:${port}/shop/tryon/docs`);
    await expect(page.getByText("/v1/tryons").first()).toBeVisible();
    await page.goto(`http://127.0.0.1:${port}/shop/tryon/debug`);
    await page
      .getByRole("link", { name: /resize/ })
      .first()
      .click();
    await expect(page.getByText("framing").first()).toBeVisible();
    expect(outside).toEqual([]);
  } finally {
    stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** An nginx that offers a gateway below a path, as its manual says: the path is taken off, and told. */
function serveBelow(below: string, gateway: string, port: number, folder: string): () => void {
  const file = path.join(folder, "nginx.conf");
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    file,
    `${process.getuid?.() === 0 ? "user root;" : ""} daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
    events {}
    http {
      access_log off; client_max_body_size 100m;
      ${kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ")}
      server {
        listen 127.0.0.1:${port};
        location ${below} {
          proxy_pass ${gateway};
          proxy_buffering off;
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-Prefix ${below};
        }
      }
    }`,
  );
  const proxy = spawn(NGINX, ["-c", file, "-p", folder], { stdio: "ignore" });
  return () => proxy.kill();
}
