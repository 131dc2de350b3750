import createClient from "openapi-fetch";
import { at, BASE } from "../lib/base";
import { noteReached } from "../lib/online";
import type { Category } from "../lib/outfits";
import { storedKey } from "../lib/settings";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Tryon = Schemas["TryonDocument"];
export type StageRun = Schemas["StageDocument"];
export type Warning = Schemas["WarningDocument"];
export type Serving = Schemas["ServingDocument"];
export type EngineChoice = Schemas["EngineDocument"];
export type Batch = Schemas["BatchDocument"];
export type Comparison = Schemas["ComparisonDocument"];
export type Variant = Schemas["VariantDocument"];
export type Problem = Pick<Schemas["ProblemDocument"], "status"> & {
  code?: string | null;
  detail?: string | null;
  stage?: string;
  option?: string;
  /** Of an outfit, the number of the one that it is about. */
  garment?: number;
};

type TryonFields = paths["/v1/tryons"]["post"]["requestBody"]["content"]["application/json"];
/** How the stages are to work for a try-on. */
export type Wishes = Pick<TryonFields, "options" | "engines" | "commercial" | "category" | "samples">;

type ComparisonFields = paths["/v1/comparisons"]["post"]["requestBody"]["content"]["application/json"];
/** What one version of a comparison has of its own. */
export type VariantWish = Extract<ComparisonFields["variants"], readonly unknown[]>[number];

/** The gateway said no, and why. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.code ?? `status ${problem.status}`);
  }
}

/** The gateway could not be reached. */
export class Unreachable extends Error {}

/** The gateway does not have it, or no longer. */
export const isGone = (error: unknown): boolean => error instanceof Refused && error.problem.status === 404;

/** The same request would be refused again, however often it is sent. */
export const isFinal = (error: unknown): boolean =>
  error instanceof Refused && error.problem.status < 500 && error.problem.status !== 429;

/** Heard when a request was refused for want of a (good) key: once for each key, since pages ask again and again. */
export const keyNeeded = new EventTarget();
const refusedKeys = new Set<string>();

/** Send a request with the key; throws Unreachable, never for a status. */
export async function send(request: Request): Promise<Response> {
  const key = storedKey();
  if (key) request.headers.set("Authorization", `Bearer ${key}`);
  let answer: Response;
  try {
    answer = await fetch(request);
    noteReached(true);
  } catch (error) {
    if (request.signal.aborted) throw error;
    noteReached(false);
    throw new Unreachable("no answer", { cause: error });
  }
  if (answer.status === 401 && !refusedKeys.has(key)) {
    refusedKeys.add(key);
    keyNeeded.dispatchEvent(new Event("needed"));
  }
  return answer;
}

/** Fetch anything of the gateway's; throws Refused, Unreachable. */
export async function get(path: string, init?: RequestInit): Promise<Response> {
  const answer = await send(new Request(path, init));
  if (!answer.ok) throw new Refused(await problemOf(answer));
  return answer;
}

async function problemOf(answer: Response): Promise<Problem> {
  const body = await answer.json().catch(() => ({}));
  return { status: answer.status, ...body };
}

const client = createClient<paths>({ baseUrl: location.origin + BASE, fetch: send });

async function taken<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw new Refused({ status: response.status, ...(error as Partial<Problem>) });
  return data as T;
}

/** Ids of pictures by their names in a form, as JSON has them. */
function bodyOf(images: Record<string, string>): Pick<ComparisonFields, "photo_id" | "garment_id" | "garments"> {
  const { photo = "", garment, ...others } = images;
  if (garment) return { photo_id: photo, garment_id: garment };
  const garments = Object.entries(others).map(([name, garment_id]) => ({
    category: name.replace("garments.", "") as Category,
    garment_id,
  }));
  return { photo_id: photo, garments };
}

const byId = (tryon_id: string) => ({ params: { path: { tryon_id } } });

export const api = {
  stages: async (): Promise<Serving[]> => (await taken(client.GET("/v1/stages"))).stages,

  tryon: (id: string): Promise<Tryon> => taken(client.GET("/v1/tryons/{tryon_id}", byId(id))),

  tryons: (query: { limit: number; before?: string; kind?: "tryon"; status?: Tryon["status"] }) =>
    taken(client.GET("/v1/tryons", { params: { query } })),

  upload: async (picture: Blob): Promise<string> => {
    const form = new FormData();
    form.append("image", picture, "picture");
    const answer = await get(at("/v1/images"), { method: "POST", body: form });
    return ((await answer.json()) as Schemas["ImageDocument"]).id;
  },

  /** images: ids of uploads by `photo` and `garment`, or `garments.upper` and so on. artifacts: in the place of those that stages would make. */
  start: async (
    images: Record<string, string>,
    wishes: Wishes = {},
    artifacts: Record<string, Blob> = {},
  ): Promise<Tryon> => {
    const form = new FormData();
    for (const [name, id] of Object.entries(images))
      form.append(name.startsWith("garments.") ? name : `${name}_id`, id);
    for (const [name, value] of Object.entries(wishes))
      form.append(name, typeof value === "string" ? value : JSON.stringify(value));
    form.append("previews", "true");
    for (const [name, file] of Object.entries(artifacts)) form.append(`artifacts.${name}`, file, name);
    return (await get(at("/v1/tryons"), { method: "POST", body: form })).json();
  },

  cancel: (id: string): Promise<Tryon> => taken(client.POST("/v1/tryons/{tryon_id}/cancel", byId(id))),

  retry: (id: string): Promise<Tryon> => taken(client.POST("/v1/tryons/{tryon_id}/retry", byId(id))),

  /** With its pictures, the uploaded ones too: what other try-ons made of those stays with them. */
  forget: async (tryon: Tryon): Promise<void> => {
    // The pictures first: where one cannot be deleted, the try-on is still listed, and deleting can be tried again.
    for (const image_id of new Set([...Object.values(tryon.images), ...tryon.garments.map(({ image }) => image)])) {
      await taken(client.DELETE("/v1/images/{image_id}", { params: { path: { image_id } } })).catch((error) => {
        if (!isGone(error)) throw error;
      });
    }
    await taken(client.DELETE("/v1/tryons/{tryon_id}", byId(tryon.id)));
  },

  startBatch: (photo_ids: string[], garment_ids: string[]): Promise<Batch> =>
    taken(client.POST("/v1/batches", { body: { photo_ids, garment_ids, priority: -10 } })),

  /** images: as those of start. */
  compare: (
    images: Record<string, string>,
    variants: VariantWish[],
    wishes: Omit<Wishes, "samples"> = {},
  ): Promise<Comparison> => taken(client.POST("/v1/comparisons", { body: { ...bodyOf(images), ...wishes, variants } })),

  comparison: (comparison_id: string): Promise<Comparison> =>
    taken(client.GET("/v1/comparisons/{comparison_id}", { params: { path: { comparison_id } } })),

  cancelComparison: (comparison_id: string): Promise<Comparison> =>
    taken(client.POST("/v1/comparisons/{comparison_id}/cancel", { params: { path: { comparison_id } } })),

  batch: (batch_id: string): Promise<Batch> =>
    taken(client.GET("/v1/batches/{batch_id}", { params: { path: { batch_id } } })),

  cancelBatch: (batch_id: string): Promise<Batch> =>
    taken(client.POST("/v1/batches/{batch_id}/cancel", { params: { path: { batch_id } } })),
};
