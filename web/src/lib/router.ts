import { useSyncExternalStore } from "react";
import { at, BASE } from "./base";

/** The app's pages, by address. */
export type Page =
  | { name: "studio" | "gallery" | "cluster" | "batch-new" | "missing" }
  | { name: "tryon" | "batch"; id: string };

export function pageAt(path: string): Page {
  if (path === "/") return { name: "studio" };
  if (path === "/gallery") return { name: "gallery" };
  if (path === "/cluster") return { name: "cluster" };
  if (path === "/batches/new") return { name: "batch-new" };
  const [, kind, id] = /^\/(tryons|batches)\/([A-Za-z0-9._-]+)$/.exec(path) ?? [];
  if (kind && id) return { name: kind === "tryons" ? "tryon" : "batch", id };
  return { name: "missing" };
}

const moved = new EventTarget();

export function go(path: string): void {
  history.pushState(null, "", at(path));
  moved.dispatchEvent(new Event("moved"));
  window.scrollTo(0, 0);
}

function listen(changed: () => void): () => void {
  moved.addEventListener("moved", changed);
  window.addEventListener("popstate", changed);
  return () => {
    moved.removeEventListener("moved", changed);
    window.removeEventListener("popstate", changed);
  };
}

export function usePath(): string {
  return useSyncExternalStore(listen, () => location.pathname.slice(BASE.length) || "/");
}
