import { expect, test } from "vitest";
import type { Tryon } from "../../src/api/client";
import { advance, hasEnded } from "../../src/lib/progress";
import { pageAt } from "../../src/lib/router";

const tryon = {
  id: "t1",
  status: "queued",
  artifacts: { photo: "/shop/v1/tryons/t1/artifacts/photo" },
  urls: { get: "/shop/v1/tryons/t1" },
  warnings: [],
  stages: [
    { stage: "resize", status: "waiting", reused: false },
    { stage: "pose", status: "waiting", reused: false },
  ],
} as unknown as Tryon;
const done = {
  stage: "resize",
  status: "succeeded",
  seconds: 1.5,
  outputs: { person: "sha256:1" },
  warnings: [{ code: "low-resolution", stage: "resize", detail: "…" }],
} as const;

test("events move a try-on on, and say where its new artifacts are", () => {
  const begun = advance(tryon, { stage: "resize", status: "processing" });
  expect(begun).toMatchObject({ status: "processing", stages: [{ status: "processing" }, { status: "waiting" }] });
  const ended = advance(begun, { ...done, warnings: [...done.warnings] });
  expect(ended.stages[0]).toMatchObject({ status: "succeeded", seconds: 1.5 });
  expect(ended.artifacts.person).toBe("/shop/v1/tryons/t1/artifacts/person");
  expect(ended.warnings).toHaveLength(1);
  expect(tryon.stages[0]?.status).toBe("waiting");
});

test("an event that comes again changes nothing", () => {
  const once = advance(tryon, { ...done, warnings: [...done.warnings] });
  expect(advance(once, { ...done, warnings: [...done.warnings] })).toEqual(once);
});

test("a try-on has ended or has not", () => {
  const statuses = ["queued", "processing", "succeeded", "failed", "canceled"] as const;
  expect(statuses.filter((status) => hasEnded({ ...tryon, status }))).toEqual(["succeeded", "failed", "canceled"]);
});

test("addresses lead to pages", () => {
  expect(pageAt("/")).toEqual({ name: "studio" });
  expect(pageAt("/tryons/6b92e575-11e2")).toEqual({ name: "tryon", id: "6b92e575-11e2" });
  expect(pageAt("/batches/new")).toEqual({ name: "batch-new" });
  expect(pageAt("/batches/b1")).toEqual({ name: "batch", id: "b1" });
  expect(pageAt("/tryons/a/b")).toEqual({ name: "missing" });
});
