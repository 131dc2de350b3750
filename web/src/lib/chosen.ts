/** A picture that somebody chose, looked at before it is sent. */

export interface Chosen {
  file: Blob;
  /** An address for <img>, which shows it upright. */
  url: string;
  /** In pixels, upright. */
  width: number;
  height: number;
}

export type Part = "person" | "garment";
export type Complaint = "not-a-picture" | "heic" | "too-heavy" | "too-large" | "too-small" | "unreadable";
export type Doubt = "landscape" | "low-resolution";

export const MAX_BYTES = 25_000_000;
export const MAX_PIXELS = 50_000_000;
export const MIN_SIDE = 64;
const GOOD_SIDE = 400;

export const ACCEPTED = "image/jpeg,image/png,image/webp,image/bmp,image/gif";

/** What a file is by its first bytes; what it is called is not trusted. */
export function typeOf(start: Uint8Array): "picture" | "heic" | "other" {
  const text = String.fromCharCode(...start.slice(0, 16));
  if (text.startsWith("\xff\xd8\xff") || text.startsWith("\x89PNG\r\n")) return "picture";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "picture";
  if (text.startsWith("GIF8") || text.startsWith("BM")) return "picture";
  if (text.slice(4, 8) === "ftyp" && /hei[cxs]|mif1|msf1|hevc/.test(text.slice(8, 16))) return "heic";
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

/** Look at a file: the picture, or why it cannot be taken. */
export async function choose(file: Blob): Promise<Chosen | Complaint> {
  const type = typeOf(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  if (type === "heic") return "heic";
  if (type === "other") return "not-a-picture";
  if (file.size > MAX_BYTES) return "too-heavy";
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(url);
    return "unreadable";
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  const complaint = complaintOf({ bytes: file.size, width, height });
  if (complaint) {
    URL.revokeObjectURL(url);
    return complaint;
  }
  const chosen: Chosen = { file, url, width, height };
  addresses.register(chosen, url);
  return chosen;
}

const uploaded = new WeakMap<Blob, Promise<string>>();

/** The id of the picture at the gateway: sent once, however often it is used. */
export function idOf({ file }: Chosen, upload: (file: Blob) => Promise<string>): Promise<string> {
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
