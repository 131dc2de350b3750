import { devices, type Page } from "@playwright/test";
import { expect, expectAccessible, heading, shoot, testOfTwo as test } from "./test";

test("options are folded away, drawn as the engine declares them, and sent where they were changed", async ({
  page,
}) => {
  const sent = watch(page);
  await choosePictures(page);
  await expect(page.getByRole("combobox", { name: "Hem" })).toBeHidden();
  await unfold(page);
  await expect(page.getByRole("combobox")).toHaveCount(4);
  await expect(page.getByRole("combobox", { name: "Hem" })).toHaveAccessibleDescription(/hanging over the trousers/);
  const dressing = page.getByRole("group", { name: "Dress", exact: true });
  const engine = dressing.getByRole("combobox", { name: "Engine" });
  await expect(engine).toHaveAccessibleDescription("MIT · commercial use allowed");
  await shoot(page, "options");
  await expectAccessible(page);
  await page.getByRole("combobox", { name: "Hem" }).selectOption("tucked");

  await engine.selectOption("second");
  await expect(engine).toHaveAccessibleDescription("CC-BY-NC-4.0 · no commercial use");
  await expect(page.getByRole("combobox", { name: "Hem" })).toHaveValue("hanging"); // it is another engine's hem now
  await page.getByRole("combobox", { name: "Hem" }).selectOption("tucked");
  await page.getByRole("combobox", { name: "Hem" }).selectOption("hanging");
  const seed = page.getByRole("spinbutton", { name: "Seed" });
  await expect(seed).toHaveAttribute("placeholder", "7");
  await expect(seed).toHaveAccessibleDescription(/From 0 to 99\./);
  await seed.fill("42");
  await page.getByRole("spinbutton", { name: "strength" }).fill("0.25");
  await page.getByRole("textbox", { name: "caption" }).fill("a blue shirt");
  await page.getByRole("textbox", { name: "caption" }).fill("");
  await page.getByRole("checkbox", { name: "mirrored" }).check();
  await page.getByRole("group", { name: "What the garment is" }).getByText("Top", { exact: true }).click();
  await expect(page.locator(".options summary")).toContainText("5 changed");
  await shoot(page, "options-changed");
  await expectAccessible(page);

  await page.getByRole("button", { name: "Try it on" }).click();
  await expect(heading(page)).toHaveText("Here you are");
  const { engines, options } = await documentOf(page);
  expect(engines).toEqual({ tryon: "second" });
  expect(options).toEqual({ tryon: { seed: 42, strength: 0.25, mirrored: true } });
  expect(sent()).toEqual(["photo_id", "garment_id", "category", "engines", "options", "previews"]);

  await page.getByRole("button", { name: "Try another garment" }).click();
  await expect(page.locator(".options summary")).toContainText("4 changed"); // the next garment may be no top
  await unfold(page);
  await page.getByRole("button", { name: "Back to the defaults" }).click();
  await page.getByRole("button", { name: "Striped jumper" }).click();
  await page.getByRole("button", { name: "Try it on" }).click();
  await page.waitForURL("**/tryons/*");
  expect(sent()).toEqual(["photo_id", "garment_id", "previews"]);
});

test("what the gateway refuses is told where it was chosen", async ({ page }) => {
  await widenSeeds(page);
  await choosePictures(page);
  await unfold(page);
  const start = page.getByRole("button", { name: "Try it on" });
  const engine = page.getByRole("group", { name: "Dress", exact: true }).getByRole("combobox", { name: "Engine" });

  await engine.selectOption("second"); // which dresses people in tops and dresses only
  await page.getByRole("group", { name: "What the garment is" }).getByText("Trousers or skirt").click();
  await expect(page.locator("fieldset", { hasText: "What the garment is" }).getByRole("alert")).toContainText(
    "does not dress people in such garments",
  );
  await start.click();
  await expect(page.getByRole("radio", { name: "Trousers or skirt" })).toBeFocused();
  await page.getByText("Automatic").click();

  const commercial = page.getByRole("checkbox", { name: "For commercial use only" });
  await commercial.check();
  await page.locator(".options summary").click();
  await start.click();
  await expect(commercial).toBeFocused(); // and so it is unfolded
  await expect(commercial).toHaveAccessibleDescription(/A licence does not allow .* Choose tps\./);
  await commercial.uncheck();

  const seed = page.getByRole("spinbutton", { name: "Seed" });
  await seed.fill("500");
  await start.click();
  await expect(seed).toBeFocused();
  await expect(seed).toHaveAccessibleDescription(/must be a whole number from 0 to 99, not 500/);
  await expect(seed).toHaveAttribute("aria-invalid", "true");
  await expect(page.locator(".studio > .notice")).toHaveCount(0);
  await shoot(page, "options-refused");
  await expectAccessible(page);
  await seed.fill("50");
  await expect(seed).toHaveAttribute("aria-invalid", "false");

  await seed.fill("5000"); // more than the schema that came has
  await page.locator(".options summary").click();
  await start.click();
  await expect(seed).toBeFocused();
  await expect(start).toBeVisible();
  expect(await seed.evaluate((input: HTMLInputElement) => input.validity.rangeOverflow)).toBe(true);
});

test.describe("on a phone, in Korean", () => {
  const { defaultBrowserType: _, ...pixel } = devices["Pixel 7"];
  test.use({ ...pixel, locale: "ko-KR" });

  test("options fit, and speak Korean", async ({ page }) => {
    await page.goto("/");
    await page.locator(".options summary").tap();
    for (const stage of ["입히기", "옷 지우기"]) {
      const fields = page.getByRole("group", { name: stage }).locator(".field");
      await expect(fields.first()).toBeVisible();
      for (const said of await fields.allInnerTexts()) expect(said).toMatch(/[가-힣]{2}/);
    }
    await shoot(page, "phone-options");
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
});

async function choosePictures(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByRole("button", { name: "Sample portrait" }).click();
  await page.getByRole("button", { name: "T-shirt", exact: true }).click();
}

const unfold = (page: Page) => page.locator(".options summary").click();

async function documentOf(page: Page) {
  return (await page.request.get(`/v1${new URL(page.url()).pathname}`)).json();
}

/** The names of the fields of the last try-on that was asked for. */
function watch(page: Page): () => string[] {
  let names: string[] = [];
  page.on("request", (request) => {
    if (request.method() !== "POST" || !request.url().endsWith("/v1/tryons")) return;
    names = [...(request.postData() ?? "").matchAll(/name="([^"]+)"/g)].map(([, name]) => name ?? "");
  });
  return () => names;
}

/** As when the engine was another one when the page was opened. */
async function widenSeeds(page: Page): Promise<void> {
  await page.route("**/v1/stages", async (route) => {
    const answer = await route.fetch();
    const text = (await answer.text()).replaceAll('"maximum":99', '"maximum":999');
    await route.fulfill({ response: answer, body: text });
  });
}
