import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Tryon } from "../../src/api/client";

/** What was asked, and the status that each is answered with: 200 unless it is named here. */
let asked: string[] = [];
let statuses: Record<string, number[]> = {};
let key = "";

/** As on a page, an address may be a path. */
class PageRequest extends Request {
  constructor(input: string | URL | Request, init?: RequestInit) {
    super(input instanceof Request ? input : new URL(input, "http://gateway"), init);
  }
}

beforeAll(() => {
  vi.stubGlobal("location", new URL("http://gateway"));
  vi.stubGlobal("navigator", { onLine: true });
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("Request", PageRequest);
  vi.stubGlobal("localStorage", { getItem: () => key });
  vi.stubGlobal("fetch", async (request: Request) => {
    const what = `${request.method} ${new URL(request.url).pathname}`;
    asked.push(what);
    const status = statuses[what]?.shift() ?? 200;
    return Response.json({ id: `id-${asked.length}`, status }, { status });
  });
});
afterAll(() => void vi.unstubAllGlobals());
beforeEach(() => {
  asked = [];
  statuses = {};
});

const load = async () => ({ ...(await import("../../src/api/client")), ...(await import("../../src/studio/send")) });
const garments = [{ image: "b" }, { image: "c" }];
const tryon = { id: "1", images: { photo: "a", garment: "b" }, garments } as unknown as Tryon;

test("a try-on is forgotten after its pictures, also when one is gone already", async () => {
  const { api } = await load();
  statuses = { "DELETE /v1/images/a": [404] };
  await api.forget(tryon);
  expect(asked).toEqual(["DELETE /v1/images/a", "DELETE /v1/images/b", "DELETE /v1/images/c", "DELETE /v1/tryons/1"]);
});

test("a try-on stays when a picture of it could not be deleted", async () => {
  const { api, Refused } = await load();
  statuses = { "DELETE /v1/images/b": [503] };
  await expect(api.forget(tryon)).rejects.toThrow(Refused);
  expect(asked).not.toContain("DELETE /v1/tryons/1");
});

test("pictures that the gateway no longer has are sent again, once", async () => {
  const { api, startWith } = await load();
  const chosen = { file: new Blob(["x"]), url: "blob:x", width: 1, height: 1 };
  const start = () => startWith([chosen], ([photo = ""]) => api.start({ photo, garment: photo }));
  statuses = { "POST /v1/tryons": [404] };
  await start();
  expect(asked).toEqual(["POST /v1/images", "POST /v1/tryons", "POST /v1/images", "POST /v1/tryons"]);
  statuses = { "POST /v1/tryons": [404, 404] };
  await expect(start()).rejects.toMatchObject({ problem: { status: 404 } });
  statuses = { "POST /v1/tryons": [503] };
  asked = [];
  await expect(start()).rejects.toMatchObject({ problem: { status: 503 } });
  expect(asked).toEqual(["POST /v1/tryons"]);
});

test("a key is asked for once for each one that is refused", async () => {
  const { get, keyNeeded } = await load();
  const needed = vi.fn();
  keyNeeded.addEventListener("needed", needed);
  for (key of ["", "", "wrong", "wrong"]) {
    statuses = { "GET /v1/tryons": [401] };
    await expect(get("/v1/tryons")).rejects.toMatchObject({ problem: { status: 401 } });
  }
  expect(needed).toHaveBeenCalledTimes(2);
});
