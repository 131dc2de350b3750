import { readFileSync } from "node:fs";
import { type APIRequestContext, devices, type Locator, type Page } from "@playwright/test";
import { expect, expectAccessible, GARMENT, heading, PERSON, shoot, startWithSamples, test } from "./test";

const YOURS = "Made with your own: Garment mask";

test("by mouse: a mask is painted over, kept, and sent again with the same pictures", async ({ page, request }) => {
  await startWithSamples(page);
  await expect(heading(page)).toHaveText("Here you are");
  const first = await documentOf(page, request);
  await page.getByRole("button", { name: "Touch up" }).click();
  const dialog = page.getByRole("dialog", { name: "Touch up" });
  const easel = dialog.getByRole("application", { name: "Painted over the picture: The garment" });
  await expect(dialog.locator(".sheet[data-state=there] img")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Dress me again" })).toBeDisabled();
  await shoot(page, "mend", false);
  await expectAccessible(page);

  const whole = await shown(easel);
  await dialog.getByText("Erase", { exact: true }).click();
  await dialog.getByRole("slider", { name: "Size" }).fill("120");
  await drag(page, easel, [0.05, 0.4], [0.2, 0.2]);
  expect(await shown(easel)).toBeLessThan(whole * 0.97);
  await dialog.getByRole("button", { name: "Undo" }).click();
  expect(await shown(easel)).toBe(whole);
  await expect(dialog.getByRole("button", { name: "Undo" })).toBeDisabled();
  await drag(page, easel, [0.0, 0.45], [0.22, 0.15]);
  await drag(page, easel, [0.1, 0.55], [0.23, 0.3]);
  await dialog.getByText("Add", { exact: true }).click();
  await dialog.getByRole("slider", { name: "Size" }).fill("24");
  await drag(page, easel, [0.75, 0.5], [0.8, 0.6]);
  const left = await shown(easel);
  await shoot(page, "mend-painted", false);
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Touch up" }).click();
  await expect.poll(() => shown(easel)).toBe(left); // it is still there

  const [file] = await Promise.all([
    page.waitForEvent("download"),
    dialog.getByRole("button", { name: "Download" }).click(),
  ]);
  expect(file.suggestedFilename()).toBe("cloth_mask.png");
  expect(await white(page, readFileSync(await file.path()))).toBe(left);

  await dialog.getByRole("button", { name: "Dress me again" }).click();
  await expect(page.getByText(YOURS)).toBeVisible();
  await expect(heading(page)).toHaveText("Here you are");
  await expect(dialog).toBeHidden();
  const second = await documentOf(page, request);
  expect(second.id).not.toBe(first.id);
  expect(second.images).toEqual(first.images);
  expect(given(second)).toEqual(["cloth_mask"]);
  expect(await white(page, await bytes(request, second, "cloth_mask"))).toBe(left);
  expect(await bytes(request, second, "tryon")).not.toEqual(await bytes(request, first, "tryon"));
  await expect(page.locator("[data-stage=cloth_mask]")).toContainText("given");
  await expect(page.locator("[data-stage=pose]")).toContainText("reused");
  await shoot(page, "mended");
  await expectAccessible(page);

  // What was given stays given, whatever is painted next.
  await page.getByRole("button", { name: "See every stage" }).click();
  await expect(page.locator(".artifacts li", { hasText: "Garment mask" })).toContainText("given");
  await page.getByRole("button", { name: "Touch up: Where the garment may be painted" }).click();
  await expect(dialog.getByText("The engine here does not look at this")).toBeVisible();
  const body = dialog.getByRole("application", { name: "Painted over the picture: Where it may go" });
  await expect(dialog.locator(".sheet[data-state=there] img")).toBeVisible();
  await drag(page, body, [0.1, 0.1], [0.3, 0.1]);
  await shoot(page, "mend-agnostic", false);
  await dialog.getByRole("button", { name: "Dress me again" }).click();
  await expect(page.getByText(`${YOURS} and Where the garment may be painted`)).toBeVisible();
  await expect(heading(page)).toHaveText("Here you are");
  await expect(page.locator("[data-stage=agnostic][data-status=given]")).toBeVisible();
  expect(given(await documentOf(page, request)).sort()).toEqual(["agnostic_mask", "cloth_mask"]);
});

test("by keyboard alone", async ({ page }) => {
  await startWithSamples(page);
  await expect(heading(page)).toHaveText("Here you are");
  await page.getByRole("button", { name: "Touch up" }).focus();
  await page.keyboard.press("Enter");
  const easel = page.getByRole("application");
  await expect(page.locator(".sheet[data-state=there] img")).toBeVisible();
  const whole = await shown(easel);
  await expect(page.getByRole("button", { name: "Close" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(easel).toBeFocused();
  await expect(easel).toHaveAccessibleDescription(/arrows move the brush/);
  await expect(page.locator(".ring")).toBeVisible();
  for (let step = 0; step < 30; step++) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Space");
  const dabbed = await shown(easel);
  expect(dabbed).toBeGreaterThan(whole);
  await page.keyboard.press("Shift+ArrowDown");
  expect(await shown(easel)).toBeGreaterThan(dabbed);
  await shoot(page, "mend-keys", false);
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  expect(await shown(easel)).toBe(whole);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page.getByRole("button", { name: "Touch up" })).toBeFocused();
});

test("what was wished is wished again, but of what no longer runs", async ({ page, request }) => {
  // Sent along with the request: the pictures were never uploads of their own.
  const file = (path: string) => ({ name: "picture.jpg", mimeType: "image/jpeg", buffer: readFileSync(path) });
  const options = { tryon: { hem: "tucked" }, agnostic: { recipe: "hd" } };
  const started = await request.post("/v1/tryons", {
    multipart: { photo: file(PERSON), garment: file(GARMENT), options: JSON.stringify(options), category: "upper" },
  });
  const { id } = await started.json();
  await page.goto(`/tryons/${id}`);
  await expect(heading(page)).toHaveText("Here you are");
  await expect(page.getByText("Made with your own: Kind of garment")).toBeVisible();
  await page.getByRole("button", { name: "Touch up" }).click();
  await page.getByText("Where it may go").click();
  await expect(page.locator(".sheet[data-state=there] img")).toBeVisible();
  await drag(page, page.getByRole("application"), [0.1, 0.1], [0.3, 0.1]);
  await page.getByRole("button", { name: "Dress me again" }).click();
  await page.waitForURL((url) => !url.pathname.endsWith(id));
  await expect(heading(page)).toHaveText("Here you are");
  const document = await documentOf(page, request);
  expect(document.options).toEqual({ tryon: { hem: "tucked" } });
  expect(given(document).sort()).toEqual(["agnostic_mask", "category"]);
});

test.describe("on a phone", () => {
  const { defaultBrowserType: _, ...pixel } = devices["Pixel 7"];
  test.use({ ...pixel, colorScheme: "dark", locale: "ko-KR" });

  test("with a finger, in the dark", async ({ page, context }) => {
    await page.goto("/");
    await page.getByRole("button", { name: "예시 인물" }).tap();
    await page.getByRole("button", { name: "티셔츠" }).tap();
    await page.getByRole("button", { name: "입어 보기", exact: true }).tap();
    await expect(heading(page)).toHaveText("이런 모습이에요");
    await shoot(page, "phone-mend-offer", false);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.getByRole("button", { name: "다듬기" }).tap();
    const easel = page.getByRole("application");
    await expect(page.locator(".sheet[data-state=there] img")).toBeVisible();
    const whole = await shown(easel);
    await page.getByText("지우기", { exact: true }).tap();
    const devtools = await context.newCDPSession(page);
    const touch = async (type: "touchStart" | "touchMove" | "touchEnd", at?: [number, number]) =>
      devtools.send("Input.dispatchTouchEvent", { type, touchPoints: at ? [await placeOn(easel, at)] : [] });
    await touch("touchStart", [0.3, 0.3]);
    for (const y of [0.35, 0.4, 0.5, 0.6]) await touch("touchMove", [0.3, y]);
    await touch("touchEnd");
    expect(await shown(easel)).toBeLessThan(whole * 0.95);
    expect(await page.evaluate(() => scrollY)).toBe(0);
    const tools = await page.getByRole("button", { name: "다시 입어 보기" }).boundingBox();
    expect((tools?.y ?? 1e9) + (tools?.height ?? 0)).toBeLessThanOrEqual(page.viewportSize()?.height ?? 0);
    await shoot(page, "phone-mend", false);
    await expectAccessible(page);
    await page.getByRole("button", { name: "다시 입어 보기" }).tap();
    await expect(page.getByText("직접 준 것으로 만들었습니다: 옷 마스크")).toBeVisible();
    await expect(heading(page)).toHaveText("이런 모습이에요");
    await shoot(page, "phone-mended");
  });
});

async function documentOf(page: Page, request: APIRequestContext) {
  return (await request.get(`/v1${new URL(page.url()).pathname}`)).json();
}

const given = (document: { stages: { given: string[] }[] }) => document.stages.flatMap((stage) => stage.given);

async function bytes(request: APIRequestContext, document: { artifacts: Record<string, string> }, name: string) {
  return (await request.get(document.artifacts[name] ?? "")).body();
}

/** How many pixels the mask on the easel has. */
const shown = (easel: Locator): Promise<number> =>
  easel.evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
    let count = 0;
    for (let at = 3; at < data.length; at += 4) count += Number((data[at] ?? 0) >= 128);
    return count;
  });

/** How many pixels of a PNG are white; the others are black. */
function white(page: Page, png: Buffer): Promise<number> {
  return page.evaluate(
    async (content) => {
      const image = await createImageBitmap(new Blob([new Uint8Array(content)]));
      const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
      const context = canvas.getContext("2d");
      context?.drawImage(image, 0, 0);
      const { data } = context?.getImageData(0, 0, image.width, image.height) ?? { data: [] };
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (![0, 255].includes(data[at] ?? 1) || data[at + 3] !== 255) return Number.NaN;
        count += Number(data[at] === 255);
      }
      return count;
    },
    [...png],
  );
}

/** A place on the page, from shares of the easel. */
async function placeOn(easel: Locator, [x, y]: [number, number]) {
  const box = (await easel.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  return { x: box.x + box.width * x, y: box.y + box.height * y };
}

async function drag(page: Page, easel: Locator, from: [number, number], to: [number, number]): Promise<void> {
  const [start, end] = [await placeOn(easel, from), await placeOn(easel, to)];
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  await page.mouse.move(end.x, end.y, { steps: 6 });
  await page.mouse.up();
}
