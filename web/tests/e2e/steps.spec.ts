import { readFileSync } from "node:fs";
import { devices, type Page } from "@playwright/test";
import type { House } from "./house";
import { expect, expectAccessible, GARMENT, heading, PERSON, shoot, test as single } from "./test";

/** At a gateway at which one of the engines takes many steps. */
const test = single.extend<object, { stepping: House }>({
  stepping: [
    async ({ house }, use) => {
      const stepping = await house.withEngine("stepping");
      await use(stepping);
      await stepping.close();
    },
    { scope: "worker", timeout: 150_000 },
  ],
  baseURL: async ({ stepping }, use) => use(stepping.url),
});

test("an engine of many steps tells how far it is, and what there is so far", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Sample portrait" }).click();
  await page.getByRole("button", { name: "T-shirt", exact: true }).click();
  await page.locator(".options summary").click();
  const dress = page.getByRole("group", { name: "Dress", exact: true });
  await dress.getByRole("combobox", { name: "Engine" }).selectOption("stepping");
  await page.getByRole("button", { name: "Try it on" }).click();
  await expect(page.getByText(/Step \d+ of 16 · about \d+ seconds? left/)).toBeVisible();
  const bar = page.getByRole("progressbar");
  const value = async () => Number(await bar.evaluate((one: HTMLProgressElement) => one.value));
  const before = await value();
  await expect.poll(value).toBeGreaterThan(before);
  const preview = page.getByRole("img", { name: "How it looks so far" });
  await expect(preview).toBeVisible();
  const first = await preview.getAttribute("src");
  await shoot(page, "steps");
  await expectAccessible(page);
  await expect.poll(() => preview.getAttribute("src")).not.toBe(first);
  await expect(heading(page)).toHaveText("Here you are");
  await expect(bar).toHaveCount(0);
  await expect(page.locator(".compare [data-state=there]")).toHaveCount(2);
});

test("it is canceled between its steps, and the next one need not wait", async ({ page }) => {
  const id = await start(page, 500);
  await page.goto(`/tryons/${id}`);
  await expect(page.getByText(/Step \d+ of 500/)).toBeVisible();
  const next = await start(page, 2, "garment_jumper.jpg");
  const other = await page.context().newPage();
  await other.goto(`/tryons/${next}`);
  await expect(other.getByText("Waits for its turn, and is next")).toBeVisible();
  await shoot(other, "steps-waiting");
  await expectAccessible(other);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(heading(page)).toHaveText("Canceled");
  await expect(page.getByRole("progressbar")).toHaveCount(0);
  await expect(heading(other)).toHaveText("Here you are");
});

test.describe("on a phone, in the dark", () => {
  const { defaultBrowserType: _, ...pixel } = devices["Pixel 7"];
  test.use({ ...pixel, colorScheme: "dark", locale: "ko-KR" });

  test("in Korean", async ({ page }) => {
    const id = await start(page, 60, "garment_top.jpg");
    await page.goto(`/tryons/${id}`);
    await expect(page.getByText(/60단계 중 \d+단계 · 약 \d+초 남음/)).toBeVisible();
    await expect(page.getByRole("img", { name: "지금까지의 모습" })).toBeVisible();
    await shoot(page, "phone-steps", false);
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.request.post(`/v1/tryons/${id}/cancel`);
  });
});

/** A try-on with the engine of many steps, as soon as it is ordered. */
async function start(page: Page, steps: number, garment?: string): Promise<string> {
  const file = (path: string) => ({ name: "picture", mimeType: "image/jpeg", buffer: readFileSync(path) });
  const answer = await page.request.post("/v1/tryons", {
    multipart: {
      photo: file(PERSON),
      garment: file(garment ? GARMENT.replace("garment_tee.jpg", garment) : GARMENT),
      engines: JSON.stringify({ tryon: "stepping" }),
      options: JSON.stringify({ tryon: { steps } }),
      previews: "true",
    },
  });
  expect(answer.status()).toBe(202);
  return (await answer.json()).id;
}
