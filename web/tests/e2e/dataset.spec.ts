import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { test as base } from "@playwright/test";
import { PYTHON, ROOT } from "./house";
import { expect, expectAccessible, shoot } from "./test";

/** A drawn set of 26 training and two test pairs, of which some are in traps, and the page that shows it. */
const PREPARE = `
import json, sys
from pathlib import Path
from howsfit.dataset.drawn import draw_set
from howsfit.dataset.checks import report
from howsfit.dataset.checks.run import check
from howsfit.dataset.layout import path_of
from howsfit.dataset.preview.run import preview
root = Path(sys.argv[1], "a set")
draw_set(root, 26, 2)
path_of(root, "train", "pose", "00003_00").write_text('{"people": []}')
path_of(root, "train", "densepose", "00004_00").unlink()
path_of(root, "test", "person", "00027_00").write_bytes(b"")
preview(root, Path(sys.argv[1], "preview"), report.document(check(root, 1)), workers=1)
`;

const test = base.extend<object, { preview: string }>({
  preview: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants it so
    async ({}, use) => {
      const folder = mkdtempSync(path.join(tmpdir(), "howsfit-set-"));
      const { status, stderr } = spawnSync(PYTHON, ["-c", PREPARE, folder], {
        cwd: ROOT,
        encoding: "utf-8",
        env: { ...process.env, PYTHONPATH: ROOT },
      });
      if (status !== 0) throw new Error(stderr);
      await use(pathToFileURL(path.join(folder, "preview", "index.html")).href);
      rmSync(folder, { recursive: true });
    },
    { scope: "worker", timeout: 150_000 },
  ],
});

test("a data set is looked through, page by page and trap by trap, from the disk", async ({ page, preview }) => {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(request.url()));
  await page.goto(preview);
  await expect(page.getByRole("article")).toHaveCount(24);
  await expect(page.getByText("Page 1 of 2, 28 of 28").first()).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "dataset-preview", false);

  await page.getByRole("button", { name: "On", exact: true }).first().click();
  await expect(page.getByRole("article")).toHaveCount(4);

  await page.getByRole("button", { name: "in any trap (3)" }).click();
  await expect(page.getByRole("article")).toHaveCount(3);
  await shoot(page, "dataset-preview-traps", false);
  await page.getByRole("button", { name: "pose-empty (1)" }).click();
  await expect(page.getByRole("heading", { level: 2 })).toHaveText("00003_00");
  await expect(page.getByText("pose: no people")).toBeVisible();
  await expect(page.getByText("Find the pose again")).toBeVisible();

  // What was chosen is in the address, and a file is one click away.
  await page.reload();
  await expect(page.getByRole("article")).toHaveCount(1);
  const parse = page.getByRole("link", { name: "parse of 00003_00" });
  expect(decodeURI((await parse.getAttribute("href")) ?? "")).toBe("../a set/train/image-parse-v3/00003_00.png");
  const strip = await parse.evaluate((cell) => getComputedStyle(cell).backgroundImage.slice(5, -2));
  const size = await page.evaluate(async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    return [image.width, image.height];
  }, strip);
  expect(size).toEqual([11 * 144, 192]);

  await page.getByRole("button", { name: "pose-empty (1)" }).click();
  await page.getByLabel("Part").selectOption("test");
  await expect(page.getByRole("article")).toHaveCount(2);
  await page.getByLabel("Name").fill("28");
  await expect(page.getByRole("heading", { level: 2 })).toHaveText("00028_00");
  await page.getByText("What the label maps hold").click();
  await expect(page.getByRole("cell", { name: "upper clothes" }).first()).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel("Name").fill("nobody");
  await expect(page.getByText("Nothing is like that.")).toBeVisible();
  expect(complaints).toEqual([]);
});

test("it fits a phone, and is readable in the dark", async ({ page, preview }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${preview}#trap=missing`);
  await expect(page.getByRole("article")).toHaveCount(1);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await expectAccessible(page);
  await shoot(page, "dataset-preview-phone", false);
});
