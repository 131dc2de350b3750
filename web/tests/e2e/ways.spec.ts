import { devices } from "@playwright/test";
import { expect, expectAccessible, heading, shoot, startWithSamples, test } from "./test";

test("by keyboard alone", async ({ page }) => {
  const press = async (key: string, until: string) => {
    for (let count = 0; count < 40; count++) {
      const name = await page.evaluate(() => {
        const here = document.activeElement;
        if (here === document.body || here?.id === "main") return "";
        return here?.getAttribute("aria-label") ?? here?.querySelector("img")?.alt ?? here?.textContent;
      });
      if (name?.includes(until)) return;
      await page.keyboard.press(key);
    }
    throw new Error(`${until} is not reached by ${key}`);
  };
  await page.goto("/");
  await expect(heading(page)).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await press("Tab", "Sample portrait");
  await page.keyboard.press("Enter");
  await press("Tab", "Sleeveless top");
  await page.keyboard.press("Space");
  await expect(page.getByRole("button", { name: "Try it on" })).toBeEnabled();
  await press("Tab", "Try it on");
  await shoot(page, "keyboard-focus", false);
  await page.keyboard.press("Enter");
  await expect(heading(page)).toHaveText("Here you are");
  await press("Tab", "How much of the picture before shows");
  const slider = page.getByRole("slider");
  await page.keyboard.press("Home");
  await expect(slider).toHaveAttribute("aria-valuetext", "0 percent before");
  await page.keyboard.press("ArrowRight");
  await expect(slider).toHaveAttribute("aria-valuetext", "1 percent before");
  await page.keyboard.press("End");
  await expect(slider).toHaveValue("100");
  await press("Tab", "Enlarge");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await press("Tab", "See every stage");
  await page.keyboard.press("Enter");
  await expect(page.locator(".artifacts li")).toHaveCount(16);
});

test.describe("on a phone", () => {
  const { defaultBrowserType: _, ...pixel } = devices["Pixel 7"];
  test.use({ ...pixel, colorScheme: "dark" });

  test("the whole journey, in the dark", async ({ page }) => {
    await page.goto("/");
    await expect(page.getByRole("button", { name: "Take a photo" })).toHaveCount(2);
    await shoot(page, "phone-studio", false);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Sample portrait" }).tap();
    await page.getByRole("button", { name: "T-shirt", exact: true }).tap();
    await expect(page.getByRole("button", { name: "Try it on" })).toBeEnabled();
    await shoot(page, "phone-chosen", false);
    await page.getByRole("button", { name: "Try it on" }).tap();
    await expect(heading(page)).toHaveText("Here you are");
    await expect(page.locator(".graph img")).toHaveCount(8);
    await shoot(page, "phone-done", false);
    await page.locator(".graph").scrollIntoViewIfNeeded();
    await shoot(page, "phone-done-graph", false);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await page.getByRole("button", { name: "See every stage" }).tap();
    await expect(page.locator(".artifacts img")).toHaveCount(13);
    await shoot(page, "phone-stages", false);
    await page.getByRole("link", { name: "Gallery" }).tap();
    await expect(page.locator(".card img").first()).toBeVisible();
    await shoot(page, "phone-gallery", false);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await page.getByRole("link", { name: "Cluster" }).tap();
    await expect(page.locator(".service")).toHaveCount(9);
    await shoot(page, "phone-cluster", false);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });
});

test.describe("in Korean", () => {
  test.use({ locale: "ko-KR" });

  test("as the browser asks for it, until the page is told otherwise", async ({ page }) => {
    await page.goto("/");
    await expect(heading(page)).toHaveText("내가 입으면 어떨까");
    await expect(page.locator("html")).toHaveAttribute("lang", "ko");
    await page.getByRole("button", { name: "예시 인물" }).click();
    await page.getByRole("button", { name: "줄무늬 니트" }).click();
    await shoot(page, "korean-studio");
    await page.getByRole("button", { name: "입어 보기" }).click();
    await expect(heading(page)).toHaveText("이런 모습이에요");
    await expect(page.locator("[data-code=hips-outside]")).toContainText("엉덩이가 사진 밖에");
    await expect(page.locator(".graph img")).toHaveCount(8);
    await shoot(page, "korean-done");
    await expectAccessible(page);
    await page.getByRole("button", { name: "English" }).click();
    await expect(heading(page)).toHaveText("Here you are");
    await page.reload();
    await expect(heading(page)).toHaveText("Here you are");
  });
});

async function expectNoSidewaysScroll(page: import("@playwright/test").Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
}

test("nothing moves when pictures arrive", async ({ page }) => {
  await startWithSamples(page);
  await expect(heading(page)).toHaveText("Here you are");
  await page.addInitScript(() => {
    const moved = { sum: 0 };
    Object.assign(window, { moved });
    new PerformanceObserver((list) => {
      // biome-ignore lint/suspicious/noExplicitAny: not in TypeScript's library
      for (const entry of list.getEntries() as any[]) moved.sum += entry.hadRecentInput ? 0 : entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  for (const [path, pictures] of [
    ["", ".compare img"],
    ["/gallery", ".card img"],
  ] as const) {
    await page.goto(path || page.url());
    await expect(page.locator(pictures).nth(1)).toBeVisible();
    await page.waitForTimeout(300);
    // biome-ignore lint/suspicious/noExplicitAny: put there above
    expect(await page.evaluate(() => (window as any).moved.sum), path).toBeLessThan(0.02);
  }
});
