// Draws the app's icons, and small copies of the sample pictures: `npm run icons`, with Chromium (CHROMIUM names it).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { chromium } from "@playwright/test";

const FOLDER = new URL("../public/icons/", import.meta.url);
const INK = "#a4234f";
const CLOTH = "#fff8f9";

// A hanger over a top, on a 512 grid.
const hanger = `<path d="M256 170v-18a30 30 0 1 0-30-30" fill="none" stroke="${CLOTH}" stroke-width="20" stroke-linecap="round"/>`;
const top = `<path d="M256 168 118 238a24 24 0 0 0-11 30l26 64a18 18 0 0 0 24 10l19-8v62a24 24 0 0 0 24 24h112a24 24 0 0 0 24-24v-62l19 8a18 18 0 0 0 24-10l26-64a24 24 0 0 0-11-30Z" fill="${CLOTH}"/>`;
const neck = `<path d="M214 189c8 30 76 30 84 0" fill="none" stroke="${INK}" stroke-width="14" stroke-linecap="round"/>`;
const drawing = (scale) =>
  `<g transform="translate(256 264) scale(${scale}) translate(-256 -256)">${hanger}${top}${neck}</g>`;
const svg = (ground, scale) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">${ground}${drawing(scale)}</svg>\n`;

const rounded = svg(`<rect width="512" height="512" rx="116" fill="${INK}"/>`, 1);
// Launchers cut their own shape out of it: all that matters lies in the middle.
const maskable = svg(`<rect width="512" height="512" fill="${INK}"/>`, 0.8);

mkdirSync(FOLDER, { recursive: true });
writeFileSync(new URL("icon.svg", FOLDER), rounded);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
for (const [name, source, size] of [
  ["icon-192.png", rounded, 192],
  ["icon-512.png", rounded, 512],
  ["icon-maskable-512.png", maskable, 512],
]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body{margin:0}svg{display:block;width:100vw}</style>${source}`);
  await page.screenshot({ path: new URL(name, FOLDER).pathname, omitBackground: true });
  await page.close();
}

const SAMPLES = new URL("../../howsfit/samples/", import.meta.url);
const THUMBS = new URL("../src/studio/thumbs/", import.meta.url);
const SIDE = 112; // shown at half of that: sharp on dense screens too
mkdirSync(THUMBS, { recursive: true });
for (const name of readdirSync(SAMPLES).filter((file) => file.endsWith(".jpg"))) {
  const page = await browser.newPage({ viewport: { width: SIDE, height: SIDE } });
  const source = `data:image/jpeg;base64,${readFileSync(new URL(name, SAMPLES)).toString("base64")}`;
  await page.setContent(`<style>body{margin:0}img{display:block;width:100vw;height:100vh;object-fit:cover}</style>`);
  await page.evaluate(async (src) => {
    const image = Object.assign(new Image(), { src });
    await image.decode();
    document.body.append(image);
  }, source);
  await page.screenshot({ path: new URL(name, THUMBS).pathname, type: "jpeg", quality: 80 });
  await page.close();
}
await browser.close();
