import { useSyncExternalStore } from "react";
import { at, BASE } from "./base";

/** The app's pages, by address. */
export type Page =
  | { name: "studio" | "gallery" | "cluster" | "batch-new" | "missing" }
  | { name: "tryon" | "batch" | "comparison"; id: string };

const KINDS = { tryons: "tryon", batches: "batch", comparisons: "comparison" } as const;

export function pageAt(path: string): Page {
  if (path === "/") return { name: "studio" };
  if (path === "/gallery") return { name: "gallery" };
  if (path === "/cluster") return { name: "cluster" };
  if (path === "/batches/new") return { name: "batch-new" };
  const [, kind, id] = /^\/(tryons|batches|comparisons)\/([A-Za-z0-9._-]+)$/.exec(path) ?? [];
  if (kind && id) return { name: KINDS[kind as keyof typeof KINDS], id };
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
