import { readFileSync } from "node:fs";
import path from "node:path";
import { devices, type Page } from "@playwright/test";
import { expect, expectAccessible, heading, ROOT, shoot, testOfTwo as test } from "./test";

const SAMPLES = path.join(ROOT, "howsfit/samples");

test("several pictures are asked for where the engine has seeds, and chosen from by keys", async ({
  page,
  request,
}) => {
  await choosePictures(page);
  await page.locator(".options summary").click();
  const count = page.getByRole("group", { name: "How many pictures" });
  const engine = page.getByRole("group", { name: "Dress", exact: true }).getByRole("combobox", { name: "Engine" });
  await expect(engine).toBeVisible();
  await expect(count).toHaveCount(0); // tps makes the same of the same
  await engine.selectOption("second");
  await count.getByRole("radio", { name: "3" }).check();
  await expect(page.locator(".options summary")).toContainText("2 changed");
  await shoot(page, "samples-asked");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try it on" }).click();
  await expect(heading(page)).toHaveText("Here you are");
  const { samples } = await documentOf(page);
  expect(samples).toHaveLength(3);

  const strip = page.getByRole("group", { name: "Which of the pictures" });
  await expect(strip.getByRole("radio")).toHaveCount(3);
  await expect(strip.locator("[data-state=there]")).toHaveCount(3);
  await expect(page.getByText("Picture 1 of 3 · seed 7")).toBeVisible();
  await expect(page.locator(".compare [data-state=there]")).toHaveCount(2);
  const first = await shownIn(page);
  await shoot(page, "samples");
  await expectAccessible(page);

  await strip.getByRole("radio", { name: "Picture 1 of 3" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(strip.getByRole("radio", { name: "Picture 3 of 3" })).toBeFocused();
  await expect(strip.getByRole("radio", { name: "Picture 3 of 3" })).toBeChecked();
  await expect(page.getByText("Picture 3 of 3 · seed 9")).toBeVisible();
  await expect(page.locator(".compare [data-state=there]")).toHaveCount(2);
  expect(await shownIn(page)).not.toEqual(first);
  await shoot(page, "samples-third");
  await expectAccessible(page);

  for (const [button, name] of [
    ["Save the figure, 768 × 1024", "tryon"],
    ["Save the whole photo", "tryon_photo"],
  ] as const) {
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: button }).click(),
    ]);
    expect(file.suggestedFilename()).toBe(`howsfit-${name}-3.png`);
    expect(readFileSync(await file.path())).toEqual(await (await request.get(samples[2].output[name])).body());
  }
  await page.getByText("Whole photo", { exact: true }).click();
  await page.getByRole("button", { name: "Enlarge" }).click();
  await expect(page.getByRole("dialog").locator("[data-state=there]")).toBeVisible();
});

test("the first picture is there to look at while the others are made", async ({ page, two }) => {
  const asked = new Set<string>();
  page.on("request", (request) => asked.add(new URL(request.url()).search));
  const { id } = await startFour(page);
  const whole = await (await page.request.get(`/v1/tryons/${id}`)).json();
  // As it stood when the second sample was being made.
  const [one, ...others] = whole.samples;
  const left = others.map((sample: object) => ({ ...sample, output: {}, seed: null, seconds: null }));
  const half = {
    ...whole,
    status: "processing",
    output: null,
    completed_at: null,
    metrics: {},
    samples: [one, ...left],
  };
  await page.route(`**/v1/tryons/${id}`, (route) => route.fulfill({ json: half }));
  await page.route(`**/v1/tryons/${id}/events`, () => undefined); // nothing comes
  await page.goto(`${two.url}/tryons/${id}`);
  await expect(page.getByText("1 of 4 pictures made")).toBeVisible();
  await expect(page.locator(".compare [data-state=there]")).toHaveCount(2);
  await expect(page.getByRole("radio", { name: "Picture 2 of 4" })).toBeDisabled();
  await expect(page.getByRole("button", { name: "Cancel" })).toBeVisible();
  await shoot(page, "samples-coming");
  await expectAccessible(page);
  expect([...asked].filter((search) => search.includes("sample="))).toEqual([]);
});

test.describe("on a phone, in the dark", () => {
  const { defaultBrowserType: _, ...pixel } = devices["Pixel 7"];
  test.use({ ...pixel, colorScheme: "dark", locale: "ko-KR" });

  test("with a finger", async ({ page }) => {
    const { id } = await startFour(page);
    await page.goto(`/tryons/${id}`);
    await expect(heading(page)).toHaveText("이런 모습이에요");
    await page.locator(".samples-strip label").nth(3).tap();
    await expect(page.getByText("그림 4장 중 4번째 · 시드 10")).toBeVisible();
    await expect(page.locator(".compare [data-state=there]")).toHaveCount(2);
    await shoot(page, "phone-samples", false);
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
});

async function choosePictures(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByRole("button", { name: "Sample portrait" }).click();
  await page.getByRole("button", { name: "T-shirt", exact: true }).click();
}

/** A try-on of the samples that has four of its own, as soon as it has ended. */
async function startFour(page: Page): Promise<{ id: string }> {
  const file = (name: string) => ({ name, mimeType: "image/jpeg", buffer: readFileSync(path.join(SAMPLES, name)) });
  const answer = await page.request.post("/v1/tryons", {
    headers: { Prefer: "wait=60" },
    multipart: {
      photo: file("person.jpg"),
      garment: file("garment_tee.jpg"),
      engines: JSON.stringify({ tryon: "second" }),
      samples: "4",
    },
  });
  const document = await answer.json();
  expect(document.status).toBe("succeeded");
  return document;
}

async function documentOf(page: Page) {
  return (await page.request.get(`/v1${new URL(page.url()).pathname}`)).json();
}

/** The pixels of the result that the slider shows. */
const shownIn = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const image = document.querySelector<HTMLImageElement>(".compare .picture:not(.upper) img");
    await image?.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 96, height: 128 });
    if (image) canvas.getContext("2d")?.drawImage(image, 0, 0, 96, 128);
    return canvas.toDataURL();
  });
