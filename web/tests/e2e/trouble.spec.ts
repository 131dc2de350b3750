import { execFileSync } from "node:child_process";
import { deflateSync } from "node:zlib";
import { PYTHON } from "./house";
import { expect, expectAccessible, forgetAll, GARMENT, heading, PERSON, shoot, startWithSamples, test } from "./test";

test.describe("while one stage stands still", () => {
  test.beforeEach(async ({ house, request }) => {
    await forgetAll(request);
    house.tryonStage.hold();
  });
  test.afterEach(({ house }) => {
    house.tryonStage.go();
  });

  test("a reload in the middle comes back to the running job", async ({ page, house }) => {
    await startWithSamples(page);
    await expect(page.locator("[data-stage=tryon][data-status=processing]")).toBeVisible();
    const address = page.url();
    await page.reload();
    expect(page.url()).toBe(address);
    await expect(heading(page)).toHaveText("Dressing you…");
    await expect(page.locator("[data-stage=tryon][data-status=processing]")).toBeVisible();
    await shoot(page, "reloaded");
    house.tryonStage.go();
    await expect(heading(page)).toHaveText("Here you are");
  });

  test("a lost connection is taken up again where it was", async ({ page, house, context }) => {
    const asked: (string | undefined)[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/events")) asked.push(request.headers()["last-event-id"]);
    });
    // The first answer ends after the events so far, as when a proxy gives up.
    let first = true;
    await page.route("**/events", async (route) => {
      if (!first) return route.fallback();
      first = false;
      const body = 'id: 1\nevent: stage\ndata: {"stage": "resize", "status": "processing"}\n\n';
      await route.fulfill({ contentType: "text/event-stream", body });
    });
    await page.goto("/");
    await startWithSamples(page, "Sleeveless top");
    await expect.poll(() => asked).toEqual([undefined, "1"]);
    await context.setOffline(true);
    await expect(page.getByText("You are offline.")).toBeVisible();
    await shoot(page, "offline-tryon");
    await context.setOffline(false);
    house.tryonStage.go();
    await expect(heading(page)).toHaveText("Here you are");
  });

  test("cancel, then try again", async ({ page, house }) => {
    await startWithSamples(page, "Striped jumper");
    await expect(page.locator("[data-stage=tryon][data-status=processing]")).toBeVisible();
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect(heading(page)).toHaveText("Canceled");
    await expect(page.locator("[data-stage=tryon][data-status=skipped]")).toBeVisible();
    await shoot(page, "canceled");
    await expectAccessible(page);
    house.tryonStage.go();
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(heading(page)).toHaveText("Here you are");
  });
});

test("a photo without anybody is refused with advice, and the garment is kept", async ({ page }) => {
  await page.goto("/");
  await page.locator("[data-part=person] input").first().setInputFiles(GARMENT);
  await page.getByRole("button", { name: "T-shirt", exact: true }).click();
  await page.getByRole("button", { name: "Try it on" }).click();
  await expect(heading(page)).toHaveText("That did not work");
  await expect(page.getByRole("alert")).toContainText("Nobody was found in the photo");
  await expect(page.locator("[data-stage=resize][data-status=failed]")).toBeVisible();
  await shoot(page, "refused");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Use another photo" }).click();
  await expect(page.getByRole("img", { name: "The chosen garment" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Choose a photo of you" })).toBeVisible();
});

test("files that cannot be taken are refused before they are sent", async ({ page }) => {
  await page.goto("/");
  const input = page.locator("[data-part=person] input").first();
  const status = page.locator("[data-part=person]").getByRole("status");
  await input.setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture at all") });
  await expect(status).toContainText("no picture that can be read");
  const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypheic0000mif1")]);
  await input.setInputFiles({ name: "IMG_1.HEIC", mimeType: "image/heic", buffer: heic });
  await expect(status).toContainText("could not be opened");
  await input.setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: png(20, 20) });
  await expect(status).toContainText("too small");
  await input.setInputFiles({ name: "wide.png", mimeType: "image/png", buffer: png(900, 500) });
  await expect(status).toContainText("wider than high");
  await shoot(page, "advice");
});

test("a HEIC photo is shown, though this browser cannot, and an AVIF is taken", async ({ page }) => {
  await page.goto("/");
  for (const [part, format, name] of [
    ["person", "HEIF", "The chosen photo of you"],
    ["garment", "AVIF", "The chosen garment"],
  ] as const) {
    const file = {
      name: `IMG_1.${format}`,
      mimeType: "",
      buffer: encoded(part === "person" ? PERSON : GARMENT, format),
    };
    await page.locator(`[data-part=${part}] input`).first().setInputFiles(file);
    const shown = page.getByRole("img", { name });
    await expect(shown).toBeVisible();
    expect(await shown.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(100);
  }
  await shoot(page, "phone-formats", false);
  await expect(page.getByRole("button", { name: "Try it on" })).toBeEnabled();
});

test("a stage that is down says so, and a retry works when it is back", async ({ page, house }) => {
  await house.tryonStage.stop();
  try {
    await page.goto("/");
    await page.locator("[data-part=person] input").first().setInputFiles(PERSON);
    await page.locator("[data-part=garment] input").first().setInputFiles(GARMENT);
    // Nothing is reused of the dressing: the garment is another one.
    await page
      .locator("[data-part=garment] input")
      .first()
      .setInputFiles({
        name: "plain.png",
        mimeType: "image/png",
        buffer: png(300, 300, (x, y) => (x > 90 && x < 210 && y > 60 && y < 260 ? 40 : 255)),
      });
    await page.getByRole("button", { name: "Try it on" }).click();
    await expect(heading(page)).toHaveText("That did not work");
    await expect(page.getByRole("alert")).toContainText("not reachable right now");
    await shoot(page, "stage-down");
    await page.getByRole("link", { name: "Cluster" }).click();
    await expect(page.locator("[data-stage=tryon][data-ready=false]")).toBeVisible();
    await expect(page.getByText("1 stage is not ready")).toBeVisible();
    await shoot(page, "cluster-stage-down");
    await expectAccessible(page);
    await page.goBack();
  } finally {
    await house.tryonStage.start();
  }
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(heading(page)).toHaveText("Here you are");
});

test("a stage without its weights is told before anybody chooses pictures, with the command that brings them", async ({
  page,
}) => {
  const command = "docker compose run --rm weights pull cihp_pgn";
  const lacking = { ready: false, code: "weights-missing", detail: `There is no checkpoint. ${command}`, command };
  let there = false;
  await page.route("**/v1/stages", async (route) => {
    const answer = await route.fetch();
    const document = await answer.json();
    for (const stage of document.stages) if (stage.stage === "human_parse" && !there) stage.health = lacking;
    for (const stage of document.stages) if (stage.stage === "pose") stage.health.instead_of = "There is no pose.onnx.";
    await route.fulfill({ response: answer, json: document });
  });
  await page.goto("/cluster");
  const services = page.locator(".service");
  await expect(services.and(page.locator("[data-stage=human_parse]"))).toContainText(command);
  await expect(services.and(page.locator("[data-stage=pose]"))).toContainText("A default engine does this");
  await shoot(page, "cluster-weights-missing");
  await expectAccessible(page);
  await page.goto("/");
  const notice = page.locator(".notice").filter({ hasText: "“Clothes” lacks its weights" });
  await expect(notice).toContainText(command);
  await shoot(page, "studio-weights-missing");
  await expectAccessible(page);
  there = true;
  await expect(notice).toBeHidden({ timeout: 10_000 });
});

test("an unknown try-on and an unknown page say so", async ({ page }) => {
  await page.goto("/tryons/nobody");
  await expect(heading(page)).toContainText("no longer there");
  await page.getByRole("link", { name: "To the start" }).click();
  await expect(heading(page)).toHaveText("See how it fits you");
});

test("a gateway with keys asks for one, and remembers it", async ({ page, house }) => {
  const key = "correct-horse-battery";
  const locked = await house.withKey(key);
  try {
    await page.goto(`${locked.url}/gallery`);
    const dialog = page.getByRole("dialog");
    await expect(dialog).toContainText("asks for a key");
    await shoot(page, "key", false);
    await expectAccessible(page);
    await dialog.getByLabel("API key").fill("hft_wrong_key");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog.getByRole("alert")).toContainText("not accepted");
    await dialog.getByLabel("API key").fill(key);
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText("Nothing here yet")).toBeVisible();
    await page.getByRole("link", { name: "Make the first one" }).click();
    await page.getByRole("button", { name: "Sample portrait" }).click();
    await page.getByRole("button", { name: "T-shirt", exact: true }).click();
    await page.getByRole("button", { name: "Try it on" }).click();
    await expect(heading(page)).toHaveText("Here you are");
    await expect(page.getByRole("img", { name: "You, wearing the garment" })).toBeVisible();
    await page.reload();
    await expect(heading(page)).toHaveText("Here you are");
  } finally {
    await locked.close();
  }
});

/** A grey PNG, made here. */
function png(width: number, height: number, shade: (x: number, y: number) => number = (x) => x % 256): Buffer {
  const rows = Array.from({ length: height }, (_, y) => [0, ...Array.from({ length: width }, (_, x) => shade(x, y))]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const data = deflateSync(Buffer.from(rows.flat()));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

/** A picture as phones keep them, written by the gateway's Pillow. */
function encoded(file: string, format: "HEIF" | "AVIF"): Buffer {
  const program = `import sys, pillow_heif; from PIL import Image; pillow_heif.register_heif_opener()
Image.open(sys.argv[1]).save(sys.stdout.buffer, sys.argv[2])`;
  return execFileSync(PYTHON, ["-c", program, file, format]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc(body), body.length + 4);
  return framed;
}

function crc(data: Buffer): number {
  let value = ~0;
  for (const byte of data) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}
