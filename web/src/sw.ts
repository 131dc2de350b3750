/// <reference lib="webworker" />
// Keeps the app itself (no picture, no answer of the API) so that it opens without a network, and takes what other
// apps share with it. Imports nothing: it must be one file.

declare const self: ServiceWorkerGlobalScope;

export {};

const FILES: string[] = __FILES__;
const KEPT = "app-__VERSION__";
const SHARED = "shared";

declare const __FILES__: string[];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(KEPT)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOldVersions().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) return;
  if (event.request.method === "POST" && url.pathname === "/share") {
    event.respondWith(takeShared(event.request));
  } else if (event.request.mode === "navigate" && isPage(url.pathname)) {
    event.respondWith(newestPage(event.request));
  } else if (event.request.method === "GET" && FILES.includes(url.pathname)) {
    event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(event.request)));
  }
});

async function forgetOldVersions(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== KEPT && name !== SHARED).map((name) => caches.delete(name)));
}

/** The app's own addresses; /docs and /debug are other pages. */
function isPage(path: string): boolean {
  return path === "/" || /^\/(gallery|cluster|tryons\/[^/]+|batches\/[^/]+)$/.test(path);
}

async function newestPage(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match("/");
    if (kept) return kept;
    throw error;
  }
}

async function takeShared(request: Request): Promise<Response> {
  const picture = (await request.formData()).get("garment");
  if (picture instanceof File) {
    const cache = await caches.open(SHARED);
    const headers = { "Content-Type": picture.type, "X-Name": encodeURIComponent(picture.name) };
    await cache.put("/shared/garment", new Response(picture, { headers }));
  }
  return Response.redirect("/?shared=garment", 303);
}
