import { readFileSync } from "node:fs";
import { devices, type Page } from "@playwright/test";
import { expect, expectAccessible, forgetAll, GARMENT, heading, shoot, test, testOfTwo } from "./test";

test("with one engine, ways to wear it are ticked by keys, compared, and seen side by side", async ({
  page,
  request,
}) => {
  await choosePictures(page);
  const compare = await unfold(page, "Compare");
  await expect(compare.getByRole("group", { name: "Engines" })).toHaveCount(0); // there is one
  await expect(compare.getByText("Nothing to compare yet")).toBeVisible();
  await compare.getByRole("checkbox", { name: "hanging" }).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await expect(compare.getByRole("checkbox", { name: "tucked in" })).toBeFocused();
  await page.keyboard.press("Space");
  await expect(compare.locator("summary")).toContainText("2 versions");
  await shoot(page, "compare-asked");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Compare 2 versions" }).click();

  await page.waitForURL("**/comparisons/*");
  await expect(heading(page)).toHaveText("Side by side");
  await expect(page.getByText("2 of 2 versions done")).toBeVisible();
  const sheet = page.getByRole("region", { name: "Contact sheet" });
  await expect(sheet.locator("[data-state=there]")).toBeVisible();
  const table = page.getByRole("table", { name: "The versions" });
  await expect(table.getByRole("row")).toHaveCount(3);
  const tucked = table.getByRole("row", { name: "Hem: tucked in" });
  await expect(tucked).toContainText("tps");
  await expect(tucked).toContainText(/with all steps/);
  await expect(tucked).toContainText("commercial use allowed");
  await expect(page.getByRole("region", { name: "Holds for all of them" })).toContainText("quick default engines");
  await expect(table.locator("[data-state=there]")).toHaveCount(2);
  await shoot(page, "comparison");
  await expectAccessible(page);

  const address = new URL(page.url()).pathname;
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save the sheet" }).click(),
  ]);
  expect(file.suggestedFilename()).toBe("howsfit-comparison.png");
  expect(readFileSync(await file.path())).toEqual(await (await request.get(`/v1${address}/sheet`)).body());

  await page.getByRole("button", { name: "Enlarge" }).click();
  await expect(page.getByRole("dialog").locator("[data-state=there]")).toBeVisible();
  await shoot(page, "comparison-zoomed", false);
  await page.keyboard.press("Escape");
  await tucked.getByRole("link").click();
  await expect(heading(page)).toHaveText("Here you are");
  expect((await documentOf(page)).options).toEqual({ tryon: { hem: "tucked" } });
  await page.getByRole("link", { name: "Back to the comparison" }).click();
  await expect(heading(page)).toHaveText("Side by side");
  await page.goto("/gallery");
  await expect(page.getByRole("link", { name: "In a comparison" })).toHaveCount(2);
});

test("what fails is told in plain words, and so is what is gone", async ({ page }) => {
  await page.goto("/comparisons/never-was");
  await expect(heading(page)).toContainText("no longer there");
  await expectAccessible(page);

  const nobody = { name: "tee.jpg", mimeType: "image/jpeg", buffer: readFileSync(GARMENT) };
  const answer = await page.request.post("/v1/comparisons", {
    headers: { Prefer: "wait=60" },
    multipart: {
      photo: nobody,
      garment: nobody,
      variants: JSON.stringify([{ label: "plain" }, { label: "tucked", options: { tryon: { hem: "tucked" } } }]),
    },
  });
  await page.goto(`/comparisons/${(await answer.json()).id}`);
  await expect(page.getByText("Nobody was found in the photo.", { exact: false }).first()).toBeVisible();
  await expect(heading(page)).toHaveText("No version could be made");
  await expect(page.getByText("0 of 2 versions done")).toBeVisible();
  await expect(page.getByRole("row", { name: /plain/ })).toContainText("failed");
  await expect(page.locator(".contact [data-state=there]")).toBeVisible();
  await shoot(page, "comparison-failed");
  await expectAccessible(page);
});

test.describe("while the dressing stands still", () => {
  test.beforeEach(async ({ house, request }) => {
    await forgetAll(request);
    house.tryonStage.hold();
  });
  test.afterEach(({ house }) => {
    house.tryonStage.go();
  });

  test("progress is shown, found again after a reload, and the rest can be stopped", async ({ page }) => {
    await choosePictures(page);
    const compare = await unfold(page, "Compare");
    for (const name of ["hanging", "tucked in"]) await compare.getByRole("checkbox", { name }).check();
    await page.getByRole("button", { name: "Compare 2 versions" }).press("Enter");
    await expect(heading(page)).toHaveText("Making every version…");
    await expect(page.getByText("0 of 2 versions done")).toBeVisible();
    const address = page.url();
    await page.reload();
    expect(page.url()).toBe(address);
    await expect(heading(page)).toHaveText("Making every version…");
    const table = page.getByRole("table", { name: "The versions" });
    await expect(table.locator("[data-status=processing]").first()).toContainText("runs");
    await expect(page.locator(".contact [data-state=there]")).toBeVisible(); // with places for what is to come
    await shoot(page, "comparison-coming");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Stop the rest" }).press("Enter");
    await expect(heading(page)).toHaveText("Stopped before any was made");
    await expect(page.getByText("0 of 2 versions done")).toBeVisible();
    await expect(table.locator("[data-status=canceled]")).toHaveCount(2);
    await expect(table).not.toContainText("with all steps");
    await expect(table).not.toContainText("hips");
    await expect(page.locator(".contact [data-state=there]")).toBeVisible(); // drawn anew
    await expect(page.getByRole("button", { name: "Stop the rest" })).toHaveCount(0);
    await shoot(page, "comparison-stopped");
    await expectAccessible(page);
  });
});

testOfTwo("engines are compared with their licences, and no more versions than can be", async ({ page }) => {
  await choosePictures(page);
  const compare = await unfold(page, "Compare");
  const engines = compare.getByRole("group", { name: "Engines" });
  await expect(engines).toContainText("CC-BY-NC-4.0 · no commercial use");
  await engines.getByRole("checkbox", { name: "tps" }).check();
  await engines.getByRole("checkbox", { name: "second" }).check();
  await compare.getByRole("group", { name: "Seeds" }).getByRole("radio", { name: "4" }).check();
  await expect(compare.locator("summary")).toContainText("5 versions"); // tps has no seeds
  await compare.getByRole("checkbox", { name: "tucked in" }).check();
  await compare.getByRole("checkbox", { name: "hanging" }).check();
  await expect(compare.getByText("These would be 10 versions, but 8 at most are compared.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Compare 10 versions" })).toBeDisabled();
  await shoot(page, "compare-too-many");
  await expectAccessible(page);
  await compare.getByRole("group", { name: "Seeds" }).getByRole("radio", { name: "1" }).check();
  await compare.getByRole("checkbox", { name: "hanging" }).uncheck();

  await unfold(page, "Options");
  await page.getByRole("checkbox", { name: "For commercial use only" }).check();
  await page.getByRole("button", { name: "Compare 2 versions" }).click();
  await expect(page.getByRole("checkbox", { name: "For commercial use only" })).toHaveAccessibleDescription(
    /A licence does not allow .* Variant 2/,
  );
  await page.getByRole("checkbox", { name: "For commercial use only" }).uncheck();
  await page.getByRole("button", { name: "Compare 2 versions" }).click();
  await expect(heading(page)).toHaveText("Side by side");
  const second = page.getByRole("row", { name: /^second · Hem: tucked in/ });
  await expect(second).toContainText("CC-BY-NC-4.0");
  await expect(second).toContainText("no commercial use");
  await expect(page.locator(".contact [data-state=there]")).toBeVisible();
  await shoot(page, "comparison-engines");
});

testOfTwo("numbers are compared, and what is none is told before anything is sent", async ({ page }) => {
  await choosePictures(page);
  const compare = await unfold(page, "Compare");
  await compare.getByRole("checkbox", { name: "second" }).check();
  const strength = compare.getByRole("textbox", { name: "strength" });
  await expect(strength).toHaveAccessibleDescription(/How much of the garment shows\. Several with commas between\./);
  await strength.fill("0.2, 1.5");
  await expect(strength).toHaveAccessibleDescription(/not such a number/);
  await expect(page.getByRole("button", { name: "Try it on" })).toBeDisabled();
  await shoot(page, "compare-numbers-wrong");
  await expectAccessible(page);
  await strength.fill("0.2, 1");
  await page.getByRole("button", { name: "Compare 2 versions" }).click();
  await expect(heading(page)).toHaveText("Side by side");
  await expect(page.getByRole("row", { name: "strength: 0.2" })).toBeVisible();
  const { variants } = await documentOf(page);
  expect(variants.map(({ options }: { options: object }) => options)).toEqual([
    { tryon: { strength: 0.2 } },
    { tryon: { strength: 1 } },
  ]);
});

test.describe("on a phone, in Korean, in the dark", () => {
  const { defaultBrowserType: _, ...pixel } = devices["Pixel 7"];
  test.use({ ...pixel, colorScheme: "dark", locale: "ko-KR" });

  test("with a finger", async ({ page }) => {
    await page.goto("/");
    await page.getByRole("button", { name: "예시 인물" }).tap();
    await page.getByRole("button", { name: "줄무늬 니트" }).tap();
    const compare = await unfold(page, "비교하기");
    for (const name of ["내어 입기", "넣어 입기", "내 사진에 맞추기", "옷 사진 그대로"])
      await compare.getByRole("checkbox", { name }).tap();
    await shoot(page, "phone-compare-asked");
    await expectAccessible(page);
    await page.getByRole("button", { name: "4가지 비교하기" }).tap();
    await expect(heading(page)).toHaveText("나란히 비교");
    await expect(page.getByText("4가지 중 4가지 완료")).toBeVisible();
    await expect(page.locator(".versions [data-state=there]")).toHaveCount(4);
    await expect(page.locator(".contact [data-state=there]")).toBeVisible();
    await shoot(page, "phone-comparison");
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.getByRole("link", { name: "밑단: 넣어 입기 · 빛: 옷 사진 그대로" }).tap();
    await expect(heading(page)).toHaveText("이런 모습이에요");
  });
});

async function choosePictures(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByRole("button", { name: "Sample portrait" }).click();
  await page.getByRole("button", { name: "T-shirt", exact: true }).click();
}

async function unfold(page: Page, summary: string) {
  const fold = page.locator("details").filter({ has: page.locator("summary", { hasText: summary }) });
  await fold.locator("summary").click();
  return fold;
}

async function documentOf(page: Page) {
  return (await page.request.get(`/v1${new URL(page.url()).pathname}`)).json();
}
