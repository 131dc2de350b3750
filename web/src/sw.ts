/// <reference lib="webworker" />
// Keeps the app itself (no picture, no answer of the API) so that it opens without a network, and takes what other
// apps share with it. Imports nothing: it must be one file.

declare const self: ServiceWorkerGlobalScope;

export {};

const FILES: string[] = __FILES__;
declare const __FILES__: string[];

/** The path below which all of this lies: "/", or "/tryon/" behind a proxy. Caches belong to the whole origin. */
const HOME = new URL("./", self.location.href).pathname;
const PATHS = FILES.map((name) => new URL(name, self.location.href).pathname);
const OURS = `howsfit ${HOME} `;
const KEPT = `${OURS}app-__VERSION__`;
const SHARED = `${OURS}shared`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(KEPT)
      .then((cache) => cache.addAll(PATHS))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOldVersions().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin || !url.pathname.startsWith(HOME)) return;
  const path = url.pathname.slice(HOME.length);
  if (event.request.method === "POST" && path === "share") {
    event.respondWith(takeShared(event.request));
  } else if (event.request.mode === "navigate" && isPage(path)) {
    event.respondWith(newestPage(event.request));
  } else if (event.request.method === "GET" && PATHS.includes(url.pathname)) {
    event.respondWith(kept(url.pathname).then((file) => file ?? fetch(event.request)));
  }
});

async function kept(path: string): Promise<Response | undefined> {
  return (await caches.open(KEPT)).match(path);
}

async function forgetOldVersions(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== KEPT && name !== SHARED);
  await Promise.all(names.map((name) => caches.delete(name)));
}

/** The app's own addresses; /docs and /debug are other pages. */
function isPage(path: string): boolean {
  return path === "" || /^(gallery|cluster|tryons\/[^/]+|(batches|comparisons)\/[^/]+)$/.test(path);
}

async function newestPage(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const page = await kept(HOME);
    if (page) return page;
    throw error;
  }
}

async function takeShared(request: Request): Promise<Response> {
  const picture = (await request.formData()).get("garment");
  if (picture instanceof File) {
    const cache = await caches.open(SHARED);
    const headers = { "Content-Type": picture.type, "X-Name": encodeURIComponent(picture.name) };
    await cache.put(`${HOME}shared/garment`, new Response(picture, { headers }));
  }
  return Response.redirect(`${HOME}?shared=garment`, 303);
}
