/** A picture that somebody chose, looked at before it is sent. */

export interface Chosen {
  file: Blob;
  /** An address for <img>, which shows it upright. */
  url: string;
  /** In pixels, upright, of what is shown: a preview where the browser cannot show the file itself. */
  width: number;
  height: number;
}

export type Part = "person" | "garment";
/** Where a picture goes: there may be a second garment. */
export type Place = Part | "second";
export type Complaint = "not-a-picture" | "heic" | "too-heavy" | "too-large" | "too-small" | "unreadable";
export type Doubt = "landscape" | "low-resolution";

export const MAX_BYTES = 25_000_000;
export const MAX_PIXELS = 50_000_000;
export const MIN_SIDE = 64;
const GOOD_SIDE = 400;

// Some systems know HEIC by its ending only.
export const ACCEPTED =
  "image/jpeg,image/png,image/webp,image/bmp,image/gif,image/avif,image/heic,image/heif,.avif,.heic,.heif";

/** What a file is by its first bytes; what it is called is not trusted. */
export function typeOf(start: Uint8Array): "picture" | "phone" | "other" {
  const text = String.fromCharCode(...start.slice(0, 16));
  if (text.startsWith("\xff\xd8\xff") || text.startsWith("\x89PNG\r\n")) return "picture";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "picture";
  if (text.startsWith("GIF8") || text.startsWith("BM")) return "picture";
  // HEIC and AVIF, which many browsers cannot show.
  if (text.slice(4, 8) === "ftyp" && /^(he[iv]|avi[fs]|mi[af]|msf1)/.test(text.slice(8))) return "phone";
  return "other";
}

/** What stands in the way of a picture; null: nothing. */
export function complaintOf(size: { bytes: number; width: number; height: number }): Complaint | null {
  if (size.bytes > MAX_BYTES) return "too-heavy";
  if (size.width * size.height > MAX_PIXELS) return "too-large";
  if (Math.min(size.width, size.height) < MIN_SIDE) return "too-small";
  return null;
}

/** What could make the result worse. */
export function doubtsOf(part: Part, { width, height }: { width: number; height: number }): Doubt[] {
  const doubts: Doubt[] = [];
  if (part === "person" && width > height * 1.15) doubts.push("landscape");
  if (Math.max(width, height) < GOOD_SIDE) doubts.push("low-resolution");
  return doubts;
}

/** Lets go of the file behind Chosen.url once the page has forgotten the picture. */
const addresses = new FinalizationRegistry<string>((url) => URL.revokeObjectURL(url));

/**
 * Look at a file: the picture, or why it cannot be taken.
 * asJpeg: what the gateway makes of a picture that this browser cannot show.
 */
export async function choose(file: Blob, asJpeg: (file: Blob) => Promise<Blob>): Promise<Chosen | Complaint> {
  const type = typeOf(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  if (type === "other") return "not-a-picture";
  if (file.size > MAX_BYTES) return "too-heavy";
  // HEIC and AVIF: an <img> that cannot show them would leave an error in the console.
  const known = type === "picture" || (await createImageBitmap(file).then(Boolean, () => false));
  const shown = known ? await display(file) : await asJpeg(file).then(display, () => null);
  if (!shown) return type === "phone" ? "heic" : "unreadable";
  const complaint = complaintOf({ bytes: file.size, ...shown });
  if (complaint) {
    URL.revokeObjectURL(shown.url);
    return complaint;
  }
  const chosen: Chosen = { file, ...shown };
  addresses.register(chosen, chosen.url);
  return chosen;
}

/** What the browser shows of a file; null when it cannot. */
async function display(file: Blob): Promise<Pick<Chosen, "url" | "width" | "height"> | null> {
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(url);
    return null;
  }
  return { url, width: image.naturalWidth, height: image.naturalHeight };
}

const uploaded = new WeakMap<Blob, Promise<string>>();

/** The id of the picture at the gateway: sent once, however often it is used. */
export function idOf({ file }: Pick<Chosen, "file">, upload: (file: Blob) => Promise<string>): Promise<string> {
  let id = uploaded.get(file);
  if (!id) {
    id = upload(file);
    uploaded.set(file, id);
    id.catch(() => uploaded.delete(file));
  }
  return id;
}

/** The gateway no longer has it: send it again next time. */
export const sendAgain = ({ file }: Chosen) => uploaded.delete(file);
