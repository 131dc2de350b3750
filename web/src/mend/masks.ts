import { api, isGone, Refused, type Tryon, type Wishes } from "../api/client";
import { fetchPicture } from "../api/pictures";
import { HEIGHT, paint, type Stroke, tint, untint, WIDTH } from "../lib/strokes";

/** The masks that can be painted over, each with the picture that it masks. */
export const MASKS = { cloth_mask: "cloth", agnostic_mask: "person" } as const;
export type Mask = keyof typeof MASKS;

/** Mask to what was painted over it. */
export type Painted = Partial<Record<Mask, Stroke[]>>;

/** Those that a try-on has. Of one of several garments none is taken in the place of another. */
export function masksOf({ artifacts, garments }: Tryon): Mask[] {
  if (garments.length > 0) return [];
  return (Object.keys(MASKS) as Mask[]).filter((mask) => artifacts[mask] && artifacts[MASKS[mask]]);
}

/** The pixels of a mask as it is shown. */
export async function shownMask(path: string): Promise<ImageData> {
  const context = sheet();
  context.drawImage(await createImageBitmap(await fetchPicture(path)), 0, 0);
  const image = context.getImageData(0, 0, WIDTH, HEIGHT);
  tint(image.data);
  return image;
}

/** A mask with what was painted over it, as a PNG, white on black. */
export async function paintedMask(path: string, strokes: Stroke[]): Promise<Blob> {
  const context = sheet();
  context.putImageData(await shownMask(path), 0, 0);
  for (const stroke of strokes) paint(context, stroke);
  const image = context.getImageData(0, 0, WIDTH, HEIGHT);
  untint(image.data);
  context.putImageData(image, 0, 0);
  return new Promise((resolve, reject) =>
    context.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no PNG came of the mask"))), "image/png"),
  );
}

function sheet(): CanvasRenderingContext2D {
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser has no canvas");
  return context;
}

/**
 * Start the try-on once more, from the same pictures and what was given and wished the first time, with painted masks in the
 * place of those that stages made. Throws Refused, Unreachable.
 */
export async function startAgain(tryon: Tryon, painted: Painted): Promise<Tryon> {
  const given = tryon.stages.flatMap((stage) => stage.given);
  const parts = given.map(async (name) => [name, await fetchPicture(tryon.artifacts[name] ?? "")] as const);
  const masks = Object.entries(painted).map(
    async ([name, strokes]) => [name, await paintedMask(tryon.artifacts[name] ?? "", strokes)] as const,
  );
  const artifacts = Object.fromEntries(await Promise.all([...parts, ...masks]));
  const { options, engines, commercial, samples } = tryon;
  const wishes: Wishes = {
    options,
    engines,
    ...(commercial && { commercial }),
    ...(samples.length > 1 && { samples: samples.length }),
  };
  const start = (images: Record<string, string>) => startWhatRuns(images, wishes, artifacts);
  try {
    return await start(tryon.images);
  } catch (error) {
    if (!isGone(error)) throw error;
    // The uploads are gone, or never were any; the try-on has its own copies.
    const copies = Object.keys(tryon.images).map(
      async (name) => [name, await api.upload(await fetchPicture(tryon.artifacts[name] ?? ""))] as const,
    );
    return start(Object.fromEntries(await Promise.all(copies)));
  }
}

/** Without wishes for stages of which what is given leaves nothing to do: the gateway tells which they are. */
async function startWhatRuns(
  images: Record<string, string>,
  wishes: Wishes,
  artifacts: Record<string, Blob>,
): Promise<Tryon> {
  try {
    return await api.start(images, wishes, artifacts);
  } catch (error) {
    const { code, stage = "", option } = error instanceof Refused ? error.problem : {};
    const idle = (code === "bad-option" || code === "bad-engine") && option === undefined;
    const wished = stage in (wishes.options ?? {}) || stage in (wishes.engines ?? {});
    if (!idle || !wished) throw error;
    const { [stage]: _option, ...options } = wishes.options ?? {};
    const { [stage]: _engine, ...engines } = wishes.engines ?? {};
    return startWhatRuns(images, { ...wishes, options, engines }, artifacts);
  }
}
