import { readFileSync } from "node:fs";
import { expect, expectAccessible, forgetAll, GARMENT, heading, PERSON, shoot, test } from "./test";

test("by mouse: choose, watch, compare, enlarge, keep, and try another garment", async ({ page, request }) => {
  await forgetAll(request);
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Try it on" })).toBeDisabled();
  await shoot(page, "studio-empty");
  await expectAccessible(page);

  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose a photo of you" }).click(),
  ]);
  await chooser.setFiles(PERSON);
  await expect(page.getByRole("img", { name: "The chosen photo of you" })).toBeVisible();
  await drop(page.locator("[data-part=garment] .frame"), GARMENT);
  await expect(page.getByRole("img", { name: "The chosen garment" })).toBeVisible();
  await shoot(page, "studio-chosen");
  await expectAccessible(page);

  await page.getByRole("button", { name: "Try it on" }).click();
  await expect(heading(page)).toHaveText(/Dressing you|Waiting|Here you are/);
  await expect(page.locator("[data-stage=resize][data-status=succeeded]")).toBeVisible();
  await expect(page.locator("[data-stage=resize] img")).toBeVisible();
  await shoot(page, "tryon-running");
  await expect(heading(page)).toHaveText("Here you are");
  await expect(page.locator(".stage[data-status=succeeded]")).toHaveCount(9);
  await expect(page.locator("[data-stage=tryon]")).toContainText(/\d s|\ds/);
  await expect(page.locator("[data-code=stand-in]")).toBeVisible();
  await expect(page.locator("[data-code=hips-outside]")).toContainText("Your hips are outside");
  await expect(page.getByRole("img", { name: "You, wearing the garment" })).toBeVisible();
  await expect(page.getByText("Composed by software (tps)")).toBeVisible();
  await expect(page.locator(".graph img")).toHaveCount(8);
  await shoot(page, "tryon-done");
  await expectAccessible(page);

  const slider = page.getByRole("slider");
  const box = (await slider.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  expect(Number(await slider.inputValue())).toBeGreaterThan(60);
  await page.getByText("Whole photo", { exact: true }).click();
  await shoot(page, "tryon-whole-photo");

  await page.getByRole("button", { name: "Enlarge" }).click();
  const zoomed = page.getByRole("dialog");
  await zoomed.getByRole("button", { name: "Larger" }).click();
  await zoomed.getByRole("button", { name: "Larger" }).click();
  await shoot(page, "tryon-zoomed", false);
  await expectAccessible(page);
  await zoomed.getByRole("button", { name: "Close" }).click();
  await expect(zoomed).toBeHidden();

  expect(await saved(page, "Save the whole photo")).toEqual(pngOf(512, 512));
  expect(await saved(page, "Save the figure, 768 × 1024")).toEqual(pngOf(768, 1024));
  await page.getByRole("button", { name: "See every stage" }).click();
  await expect(page.locator(".artifacts li")).toHaveCount(16);
  await expect(page.locator(".artifacts img")).toHaveCount(13);
  await shoot(page, "tryon-stages");
  await expectAccessible(page);
  const joints = await download(page, "Download Pose, joints");
  expect(JSON.parse(joints.toString())).toHaveProperty("people");
  expect((await download(page, /dataset\.zip/)).subarray(0, 2).toString()).toBe("PK");

  await page.getByRole("button", { name: "Try another garment" }).click();
  await expect(page.getByRole("img", { name: "The chosen photo of you" })).toBeVisible();
  await page.getByRole("button", { name: "Striped jumper" }).click();
  await page.getByRole("button", { name: "Try it on" }).click();
  await expect(heading(page)).toHaveText("Here you are");
  await expect(page.locator(".stage[data-status=reused]")).toHaveCount(5);
  await expect(page.locator("[data-stage=pose]")).toContainText("reused");
  await shoot(page, "tryon-reused");
});

test("a picture is pasted where the focus is", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Choose a picture of a garment" }).focus();
  const bytes = [...readFileSync(GARMENT)];
  await page.evaluate((content) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([new Uint8Array(content)], "shirt.jpg", { type: "image/jpeg" }));
    window.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
  }, bytes);
  await expect(page.getByRole("img", { name: "The chosen garment" })).toBeVisible();
});

test("looking at a picture that is forgotten once it is fetched leaves it there for whoever saves it", async ({
  page,
  request,
}) => {
  const file = (path: string) => ({ name: "picture.jpg", mimeType: "image/jpeg", buffer: readFileSync(path) });
  const answer = await request.post("/v1/tryons", {
    multipart: { photo: file(PERSON), garment: file(GARMENT), forget: "fetched" },
    headers: { Prefer: "wait=60" },
  });
  const { id, status } = await answer.json();
  expect(status).toBe("succeeded");
  await page.goto("/gallery");
  await page.locator(`a[href="/tryons/${id}"]`).click();
  await page.getByText("Whole photo", { exact: true }).click();
  await page.getByRole("button", { name: "Enlarge" }).click();
  await expect(page.getByRole("dialog").getByRole("img")).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "See every stage" }).click();
  await expect(page.locator(".artifacts img")).toHaveCount(13);
  await page.reload();
  expect(await saved(page, "Save the whole photo")).toEqual(pngOf(512, 512));
  await expect.poll(async () => (await request.get(`/v1/tryons/${id}`)).status()).toBe(404);
});

async function drop(target: import("@playwright/test").Locator, file: string): Promise<void> {
  const dataTransfer = await target.page().evaluateHandle(
    (content) => {
      const dropped = new DataTransfer();
      dropped.items.add(new File([new Uint8Array(content)], "shirt.jpg", { type: "image/jpeg" }));
      return dropped;
    },
    [...readFileSync(file)],
  );
  await target.dispatchEvent("dragover", { dataTransfer });
  await target.dispatchEvent("drop", { dataTransfer });
}

async function download(page: import("@playwright/test").Page, name: string | RegExp): Promise<Buffer> {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
  return readFileSync(await file.path());
}

const saved = async (page: import("@playwright/test").Page, name: string) => {
  const data = await download(page, name);
  return { magic: data.subarray(1, 4).toString(), width: data.readUInt32BE(16), height: data.readUInt32BE(20) };
};
const pngOf = (width: number, height: number) => ({ magic: "PNG", width, height });
