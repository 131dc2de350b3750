import { at, BASE } from "./base";

/** The picture that another app shared with this one and the service worker kept; null: there is none. */
export async function takeShared(): Promise<Blob | "missed" | null> {
  const asked = new URLSearchParams(location.search).get("shared");
  if (!asked) return null;
  history.replaceState(null, "", at("/"));
  if (asked !== "garment" || !("caches" in window)) return "missed";
  const cache = await caches.open(`howsfit ${BASE}/ shared`);
  const kept = await cache.match(at("/shared/garment"));
  await cache.delete(at("/shared/garment"));
  return kept ? kept.blob() : "missed";
}
