/** The picture that another app shared with this one and the service worker kept; null: there is none. */
export async function takeShared(): Promise<Blob | "missed" | null> {
  const asked = new URLSearchParams(location.search).get("shared");
  if (!asked) return null;
  history.replaceState(null, "", "/");
  if (asked !== "garment" || !("caches" in window)) return "missed";
  const cache = await caches.open("shared");
  const kept = await cache.match("/shared/garment");
  await cache.delete("/shared/garment");
  return kept ? kept.blob() : "missed";
}
