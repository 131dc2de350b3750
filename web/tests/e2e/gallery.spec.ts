import { expect, expectAccessible, GARMENT, heading, PERSON, shoot, startWithSamples, test } from "./test";

test("earlier try-ons are there, open, and go with their pictures", async ({ page, request }) => {
  await startWithSamples(page);
  await expect(heading(page)).toHaveText("Here you are");
  const id = new URL(page.url()).pathname.split("/").at(-1);
  const { images } = await (await request.get(`/v1/tryons/${id}`)).json();
  await page.getByRole("link", { name: "Gallery" }).click();
  const card = page.locator(".card", { has: page.locator(`a[href="/tryons/${id}"]`) });
  await expect(card.locator("img").first()).toBeVisible();
  await shoot(page, "gallery");
  await expectAccessible(page);
  await card.getByRole("button", { name: /^Delete/ }).click();
  await shoot(page, "gallery-delete", false);
  await expectAccessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(card).toHaveCount(0);
  expect((await request.get(`/v1/tryons/${id}`)).status()).toBe(404);
  for (const image of Object.values(images)) expect((await request.get(`/v1/images/${image}`)).status()).toBe(404);
});

test("several garments on one person stand side by side", async ({ page }) => {
  await page.goto("/gallery");
  await page.getByRole("link", { name: "Several garments at once" }).click();
  await page.locator("[data-part=person] input").first().setInputFiles(PERSON);
  await page.getByLabel("Add garments").setInputFiles([GARMENT]);
  await page.getByRole("button", { name: "Striped jumper" }).click();
  await page.getByRole("button", { name: "Sleeveless top" }).click();
  await expect(page.getByRole("img", { name: "Garment 3" })).toBeVisible();
  await shoot(page, "batch-new");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try on 3 garments" }).click();
  await page.waitForURL("**/batches/*");
  await expect(page.getByText("3 of 3 done")).toBeVisible({ timeout: 40_000 });
  await expect(page.locator(".card img")).toHaveCount(6);
  await shoot(page, "batch-done");
  await expectAccessible(page);
  await page.reload();
  await expect(page.getByText("3 of 3 done")).toBeVisible();
});

test("the cluster page tells what serves each stage", async ({ page }) => {
  await page.goto("/cluster");
  await expect(page.getByText("All stages are ready")).toBeVisible();
  const pose = page.locator("[data-stage=pose]");
  await expect(pose).toContainText("blazepose");
  await expect(pose).toContainText("Apache-2.0");
  await shoot(page, "cluster");
  await expectAccessible(page);
  await pose.getByRole("link", { name: "Debug page" }).click();
  await expect(heading(page)).toContainText("pose");
  await shoot(page, "debug-pose");
  await expectAccessible(page);
  await page.goto("/debug");
  await shoot(page, "debug-gateway");
  await expectAccessible(page);
});

test("the debug pages are readable in the dark", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto("/stages/resize/debug");
  await expect(page.getByRole("img", { name: "person" }).first()).toBeVisible();
  await shoot(page, "debug-resize-dark");
  await expectAccessible(page);
  await page.goto("/debug");
  await expect(page.getByRole("img", { name: "tryon", exact: true }).first()).toBeVisible();
  await shoot(page, "debug-gateway-dark");
  await expectAccessible(page);
});

test("the documentation of the API needs no other host", async ({ page }) => {
  await page.goto("/docs");
  await expect(page.getByText("Dress a person in a garment")).toBeVisible();
  await shoot(page, "docs", false);
});
