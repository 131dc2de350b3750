import { useEffect, useState } from "react";
import { get } from "./client";

/** Pictures of the API as addresses that <img> can show: it cannot send a key, so they are fetched. */

interface Entry {
  url: Promise<string>;
  users: number;
}

const IDLE_KEPT = 60;
const entries = new Map<string, Entry>();

export async function fetchPicture(path: string, priority: RequestPriority = "auto"): Promise<Blob> {
  return (await get(path, { priority })).blob();
}

function take(path: string, priority: RequestPriority): Promise<string> {
  let entry = entries.get(path);
  if (!entry) {
    entry = { url: fetchPicture(path, priority).then(URL.createObjectURL), users: 0 };
    entry.url.catch(() => entries.delete(path)); // asked again next time
  }
  entry.users++;
  entries.delete(path);
  entries.set(path, entry); // the last one taken is the last to go
  return entry.url;
}

function release(path: string): void {
  const entry = entries.get(path);
  if (entry) entry.users--;
  const idle = [...entries].filter(([, { users }]) => users === 0);
  for (const [name, { url }] of idle.slice(0, Math.max(0, idle.length - IDLE_KEPT))) {
    entries.delete(name);
    url.then(URL.revokeObjectURL, () => undefined);
  }
}

export interface Shown {
  url: string | null;
  failed: boolean;
}

/** The picture at a path of the API, as soon as it is there. */
export function usePicture(path: string | undefined, priority: RequestPriority): Shown {
  const [shown, setShown] = useState<Shown & { path?: string | undefined }>({ url: null, failed: false });
  useEffect(() => {
    if (!path) return;
    let wanted = true;
    const tell = (news: Shown) => wanted && setShown({ ...news, path });
    take(path, priority).then(
      (url) => tell({ url, failed: false }),
      () => tell({ url: null, failed: true }),
    );
    return () => {
      wanted = false;
      release(path);
    };
  }, [path, priority]);
  return shown.path === path ? shown : { url: null, failed: false };
}

/** Save a file of the API. */
export async function download(path: string, name: string): Promise<void> {
  save(await fetchPicture(path), name);
}

/** Save a file that the page has. */
export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** After another key was entered: what one owner saw is not the next one's business. */
export function forgetPictures(): void {
  for (const { url } of entries.values()) url.then(URL.revokeObjectURL, () => undefined);
  entries.clear();
}
