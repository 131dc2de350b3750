import { readFileSync } from "node:fs";
import { devices, type Page } from "@playwright/test";
import { expect, expectAccessible, GARMENT, heading, PERSON, shoot, test, testOfTwo } from "./test";

test("a top and trousers are chosen, worn tucked in, and told of one by one", async ({ page }) => {
  const trousers = await drawTrousers(page);
  const sent = watch(page);
  await page.getByRole("button", { name: "Sample portrait" }).click();
  await page.getByRole("button", { name: "T-shirt", exact: true }).click();
  await page.getByRole("button", { name: "Wear something with it" }).press("Enter");
  await expect(page.getByText("both garments first")).toBeVisible();
  await expect(page.getByRole("button", { name: "Try it on" })).toBeDisabled();
  const other = page.getByRole("region", { name: "What goes with it" });
  await expect(other.getByRole("button", { name: "Choose a picture of what goes with it" })).toBeFocused();
  await other.locator("input[type=file]").first().setInputFiles(trousers);
  await expect(other.getByRole("img")).toBeVisible();
  const together = page.getByRole("region", { name: "What goes together" });
  await together.getByRole("group", { name: "Hem" }).getByRole("radio", { name: "tucked in" }).check();
  await expect(page.locator("summary", { hasText: "Options" })).toContainText("1 changed");
  await shoot(page, "outfit-asked");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try it on" }).click();

  await expect(heading(page)).toHaveText("Here you are");
  expect(sent()).toEqual(["photo_id", "garments.upper", "garments.lower", "options", "previews"]);
  const worn = page.getByRole("region", { name: "What you wear" });
  await expect(worn.getByRole("listitem").filter({ has: page.locator(".picture") })).toHaveCount(2);
  await expect(worn.locator("ol > li").first()).toContainText("1. Trousers or skirt");
  await expect(worn.locator("ol > li").last()).toContainText("2. Top");
  await expect(worn).toContainText("Hem: tucked in");
  await expect(worn.locator("[data-state=there]")).toHaveCount(2);
  await expect(page.locator(".compare [data-state=there]")).toHaveCount(2);
  await expect(page.locator(".notes").last()).toContainText("quick default engines");
  const graph = page.locator(".graph");
  await expect(graph.locator("[data-stage=pose]")).toBeVisible();
  await shoot(page, "outfit");
  await expectAccessible(page);
  await page.getByRole("group", { name: "Of which garment" }).getByRole("radio", { name: "Top" }).check();
  await expect(graph.locator("[data-stage=pose]")).toHaveCount(0); // her pose is as it was
  await expect(graph.locator("[data-stage=tryon]")).toHaveAttribute("data-status", "succeeded");
  await expect(graph.locator("[data-state=there]")).toHaveCount(5);
  await shoot(page, "outfit-second");

  await page.getByRole("button", { name: "Use another photo" }).click();
  await expect(page.getByRole("region", { name: "What goes with it" }).getByRole("img").first()).toBeVisible();
  await expect(page.getByRole("region", { name: "What goes together" })).toBeVisible();
  const firstIs = page.getByRole("group", { name: "The first garment is" });
  await expect(firstIs.getByRole("radio", { name: "Trousers or skirt" })).toBeChecked();
  await page.getByRole("button", { name: "Only one garment" }).press("Enter");
  await expect(page.getByRole("button", { name: "Wear something with it" })).toBeFocused();
  await page.goto("/gallery");
  await expect(page.locator(".card").first().locator("img")).toHaveCount(3);
});

test("a dress with a top over it", async ({ page }) => {
  await page.goto("/");
  const buffer = await drawn(
    page,
    "M230 60H270Q300 110 330 60H370L420 170L375 190L360 300L470 740H130L240 300L225 190L180 170Z",
  );
  const sent = watch(page);
  await page.getByRole("button", { name: "Sample portrait" }).click();
  await page.getByRole("button", { name: "Striped jumper", exact: true }).click();
  await page.getByRole("button", { name: "Wear something with it" }).click();
  const together = page.getByRole("region", { name: "What goes together" });
  const secondIs = together.getByRole("group", { name: "With it goes" });
  await expect(secondIs.getByRole("radio", { name: "Top" })).toHaveCount(0); // nobody wears two
  await secondIs.getByRole("radio", { name: "Dress" }).check();
  const other = page.getByRole("region", { name: "What goes with it" });
  await other.locator("input[type=file]").first().setInputFiles({ name: "dress.png", mimeType: "image/png", buffer });
  await shoot(page, "outfit-dress-asked");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try it on" }).click();

  await expect(heading(page)).toHaveText("Here you are");
  expect(sent()).toEqual(["photo_id", "garments.upper", "garments.dress", "previews"]);
  const worn = page.getByRole("region", { name: "What you wear" });
  await expect(worn.locator("ol > li").first()).toContainText("1. Dress");
  await expect(worn.locator("ol > li").last()).toContainText("2. Top");
  await expect(worn.locator("[data-state=there]")).toHaveCount(2);
  const tryon = await (await page.request.get(`/v1${new URL(page.url()).pathname}`)).json();
  expect(tryon.garments.map(({ category }: { category: string }) => category)).toEqual(["dress", "upper"]);
  expect(tryon.garments.every(({ artifacts }: { artifacts: object }) => "tryon" in artifacts)).toBe(true);
  await shoot(page, "outfit-dress");
  await expectAccessible(page);
});

test("an outfit is compared, worn in two ways", async ({ page }) => {
  const trousers = await drawTrousers(page);
  await page.getByRole("button", { name: "Sample portrait" }).click();
  await page.getByRole("button", { name: "T-shirt", exact: true }).click();
  await page.getByRole("button", { name: "Wear something with it" }).click();
  const other = page.getByRole("region", { name: "What goes with it" });
  await other.locator("input[type=file]").first().setInputFiles(trousers);
  const compare = page.locator("details").filter({ has: page.locator("summary", { hasText: "Compare" }) });
  await compare.locator("summary").click();
  for (const name of ["hanging", "tucked in"]) await compare.getByRole("checkbox", { name }).check();
  await shoot(page, "outfit-compare-asked");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Compare 2 versions" }).click();

  await expect(heading(page)).toHaveText("Side by side");
  await expect(page.getByText("2 of 2 versions done")).toBeVisible();
  await expect(page.locator(".contact [data-state=there]")).toBeVisible();
  await expect(page.locator(".versions [data-state=there]")).toHaveCount(2);
  const document = await (await page.request.get(`/v1${new URL(page.url()).pathname}`)).json();
  expect(document.garments.map(({ category }: { category: string }) => category)).toEqual(["lower", "upper"]);
  await shoot(page, "outfit-comparison");
  await expectAccessible(page);
  await page.getByRole("link", { name: "Hem: tucked in" }).click();
  await expect(page.getByRole("region", { name: "What you wear" }).locator("ol > li")).toHaveCount(2);
});

test("which garment could not be put on is told", async ({ page }) => {
  await page.goto("/");
  const blank = await drawn(page, "");
  const file = (buffer: Buffer) => ({ name: "picture.png", mimeType: "image/png", buffer });
  const answer = await page.request.post("/v1/tryons", {
    headers: { Prefer: "wait=60" },
    multipart: {
      photo: file(readFileSync(PERSON)),
      "garments.upper": file(readFileSync(GARMENT)),
      "garments.lower": file(blank),
    },
  });
  await page.goto(`/tryons/${(await answer.json()).id}`);
  await expect(heading(page)).toHaveText("That did not work");
  await expect(page.getByRole("alert")).toContainText(/No garment stands out.*It is about: Trousers or skirt/);
  const worn = page.getByRole("region", { name: "What you wear" });
  await expect(worn.locator("[data-status=failed]")).toContainText("1. Trousers or skirt failed");
  await expect(worn.locator("[data-status=skipped]")).toContainText("2. Top left out");
  await shoot(page, "outfit-failed");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try another garment" }).click(); // in the place of the one that failed
  await expect(page.locator("[data-part=person] .frame img, [data-part=second] .frame img")).toHaveCount(2);
  await expect(page.locator("[data-part=garment] .empty")).toBeVisible();
  await expect(
    page.getByRole("group", { name: "The first garment is" }).getByRole("radio", { name: "Trousers or skirt" }),
  ).toBeChecked();
});

testOfTwo("an engine that dresses nobody in trousers says so before anything is sent", async ({ page }) => {
  await page.goto("/");
  await page.locator("summary", { hasText: "Options" }).click();
  await page.getByRole("group", { name: "Dress", exact: true }).getByLabel("Engine").selectOption("second");
  await page.getByRole("button", { name: "Wear something with it" }).click();
  const together = page.getByRole("region", { name: "What goes together" });
  await expect(together.getByRole("alert")).toContainText("does not dress people in such garments");
  await together.getByRole("group", { name: "With it goes" }).getByRole("radio", { name: "Dress" }).check();
  await expect(together.getByRole("alert")).toHaveCount(0);
});

test.describe("on a phone, in Korean, in the dark", () => {
  const { defaultBrowserType: _, ...pixel } = devices["Pixel 7"];
  test.use({ ...pixel, colorScheme: "dark", locale: "ko-KR" });

  test("with a finger", async ({ page }) => {
    const trousers = await drawTrousers(page);
    await page.getByRole("button", { name: "예시 인물" }).tap();
    await page.getByRole("button", { name: "줄무늬 니트" }).tap();
    await page.getByRole("button", { name: "함께 입을 옷 더하기" }).tap();
    await page
      .getByRole("region", { name: "함께 입을 옷" })
      .locator("input[type=file]")
      .first()
      .setInputFiles(trousers);
    await shoot(page, "phone-outfit-asked");
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.getByRole("button", { name: "입어 보기", exact: true }).tap();
    await expect(heading(page)).toHaveText("이런 모습이에요");
    await expect(page.getByRole("region", { name: "입은 옷" }).locator("[data-state=there]")).toHaveCount(2);
    await expect(page.locator(".compare [data-state=there]")).toHaveCount(2);
    await shoot(page, "phone-outfit");
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
});

/** A pair of trousers, drawn: no sample picture shows any. Leaves the studio open. */
async function drawTrousers(page: Page) {
  await page.goto("/");
  const buffer = await drawn(page, "M190 90H410L450 720H330L300 300L270 720H150Z");
  return { name: "trousers.png", mimeType: "image/png", buffer };
}

/** A dark blue shape on a pale ground, as a PNG. outline: as SVG has it. */
async function drawn(page: Page, outline: string): Promise<Buffer> {
  const url = await page.evaluate((path) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 600, height: 800 });
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    context.fillStyle = "#f4f4f4";
    context.fillRect(0, 0, 600, 800);
    context.fillStyle = "#27457a";
    context.fill(new Path2D(path));
    return canvas.toDataURL();
  }, outline);
  return Buffer.from(url.split(",")[1] ?? "", "base64");
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
