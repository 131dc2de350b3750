import { readFileSync } from "node:fs";
import { expect, GARMENT, heading, shoot, test } from "./test";

test.use({ serviceWorkers: "allow" });

test("the app is installable, opens offline and says so, and takes what is shared with it", async ({
  page,
  context,
}) => {
  await page.goto("/");
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await expect.poll(() => page.evaluate(() => Boolean(navigator.serviceWorker.controller))).toBe(true);

  const devtools = await context.newCDPSession(page);
  const { errors } = await devtools.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  expect(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito")).toEqual([]);

  await context.setOffline(true);
  await page.goto("/gallery");
  await expect(page.getByText("You are offline.")).toBeVisible();
  await expect(page.getByRole("alert")).toContainText("cannot be reached");
  await shoot(page, "offline");
  await context.setOffline(false);
  await expect(page.getByText("Nothing here yet").or(page.locator(".card").first())).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);
  await context.setOffline(true);
  await page.getByRole("link", { name: "Try on" }).click();
  await expect(heading(page)).toHaveText("See how it fits you");
  await context.setOffline(false);
  await expect(page.getByText("You are offline.")).toBeHidden();

  // As the system does when a picture is shared to the app: a form that another app fills.
  await page.evaluate(
    (content) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: "/share" });
      form.enctype = "multipart/form-data";
      const input = Object.assign(document.createElement("input"), { type: "file", name: "garment" });
      const shared = new DataTransfer();
      shared.items.add(new File([new Uint8Array(content)], "shirt.jpg", { type: "image/jpeg" }));
      input.files = shared.files;
      form.append(input);
      document.body.append(form);
      form.submit();
    },
    [...readFileSync(GARMENT)],
  );
  await expect(page.getByText("The garment that you shared is ready.")).toBeVisible();
  await expect(page.getByRole("img", { name: "The chosen garment" })).toBeVisible();
  expect(new URL(page.url()).search).toBe("");
  await shoot(page, "shared");
});
