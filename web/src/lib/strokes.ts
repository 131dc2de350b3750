/** What a brush does to a mask. Places and sizes are in pixels of the mask. */

/** Of every mask. */
export const WIDTH = 768;
export const HEIGHT = 1024;

export interface Point {
  x: number;
  y: number;
}

export interface Brush {
  erase: boolean;
  /** Across. */
  size: number;
}

export interface Stroke extends Brush {
  points: Point[];
}

/** The colour that a mask is shown in; what is not masked is clear. */
const TINT = [214, 36, 110] as const;

/** A mask as stages give it, white on black, as it is shown. Changes the pixels, RGBA. */
export function tint(pixels: Uint8ClampedArray): void {
  for (let at = 0; at < pixels.length; at += 4) {
    const masked = (pixels[at] ?? 0) >= 128;
    pixels.set([...TINT, masked ? 255 : 0], at);
  }
}

/** The other way round: from what is shown to white on black. */
export function untint(pixels: Uint8ClampedArray): void {
  for (let at = 0; at < pixels.length; at += 4) {
    const white = (pixels[at + 3] ?? 0) >= 128 ? 255 : 0;
    pixels.set([white, white, white, 255], at);
  }
}

/** Draw a stroke onto a mask as it is shown, from one of its points on. */
export function paint(context: CanvasRenderingContext2D, { erase, size, points }: Stroke, from = 0): void {
  const [first, ...others] = points.slice(from);
  if (!first) return;
  const colour = `rgb(${TINT.join(" ")})`;
  Object.assign(context, {
    strokeStyle: colour,
    fillStyle: colour,
    lineWidth: size,
    lineCap: "round",
    lineJoin: "round",
  });
  context.globalCompositeOperation = erase ? "destination-out" : "source-over";
  context.beginPath();
  context.arc(first.x, first.y, size / 2, 0, 2 * Math.PI); // a line that goes nowhere would leave nothing
  context.fill();
  context.beginPath();
  context.moveTo(first.x, first.y);
  for (const { x, y } of others) context.lineTo(x, y);
  context.stroke();
}
