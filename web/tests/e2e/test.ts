import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { type APIRequestContext, test as base, expect, type Page } from "@playwright/test";
import { House, ROOT } from "./house";

export { expect, ROOT };

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
const SHOTS = path.join(ROOT, "out", "web");
export const PERSON = path.join(ROOT, "howsfit/samples/person.jpg");
export const GARMENT = path.join(ROOT, "howsfit/samples/garment_tee.jpg");

export const test = base.extend<{ quiet: undefined }, { house: House }>({
  house: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants it so
    async ({}, use) => {
      const house = await House.open();
      await use(house);
      await house.close();
    },
    { scope: "worker", timeout: 150_000 },
  ],
  baseURL: async ({ house }, use) => use(house.url),
  // No page may complain, nor ask another host for anything.
  quiet: [
    async ({ page, house }, use) => {
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("console", (message) => {
        if (/Content Security Policy|React|Uncaught/.test(message.text())) complaints.push(message.text());
      });
      page.on("request", (request) => {
        if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith("http://127.0.0.1:")) {
          complaints.push(`asked another host: ${request.url()}`);
        }
      });
      void house;
      await use(undefined);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

/** At a gateway at which two engines dress people. */
export const testOfTwo = test.extend<object, { two: House }>({
  two: [
    async ({ house }, use) => {
      const two = await house.withEngine("second");
      await use(two);
      await two.close();
    },
    { scope: "worker", timeout: 150_000 },
  ],
  baseURL: async ({ two }, use) => use(two.url),
});

/** Keep a picture of the page, for people to look at: out/web/NAME.png. */
export async function shoot(page: Page, name: string, fullPage = true): Promise<void> {
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage, animations: "disabled" });
}

/** Nothing that axe-core calls serious or critical. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    // biome-ignore lint/suspicious/noExplicitAny: axe-core put itself there
    const { violations } = await (window as any).axe.run(document, { resultTypes: ["violations"] });
    // biome-ignore lint/suspicious/noExplicitAny: as above
    return violations.map(({ id, impact, nodes }: any) => ({ id, impact, at: nodes.map((node: any) => node.html) }));
  });
  expect(found.filter(({ impact }: { impact: string }) => ["serious", "critical"].includes(impact))).toEqual([]);
}

/** Choose the two sample pictures and start. */
export async function startWithSamples(page: Page, garment = "T-shirt"): Promise<void> {
  await page.goto("/");
  await page.getByRole("button", { name: "Sample portrait" }).click();
  await page.getByRole("button", { name: garment, exact: true }).click();
  await page.getByRole("button", { name: "Try it on" }).click();
  await page.waitForURL("**/tryons/*");
}

/** Forget all try-ons with their pictures, so that nothing can be reused. */
export async function forgetAll(request: APIRequestContext): Promise<void> {
  const { tryons } = await (await request.get("/v1/tryons?limit=100")).json();
  for (const { id, images } of tryons) {
    await request.delete(`/v1/tryons/${id}`);
    for (const image of Object.values(images)) await request.delete(`/v1/images/${image}`);
  }
}

export const heading = (page: Page) => page.getByRole("heading", { level: 1 });
