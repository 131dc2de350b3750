import { expect, test } from "vitest";
import type { Tryon } from "../../src/api/client";
import type { Progress } from "../../src/api/follow";
import { advance, hasEnded, progressOf, stepped } from "../../src/lib/progress";
import { madeOf, resultOf, warningsOf } from "../../src/lib/results";
import { pageAt } from "../../src/lib/router";

const tryon = {
  id: "t1",
  status: "queued",
  artifacts: { photo: "/shop/v1/tryons/t1/artifacts/photo" },
  urls: { get: "/shop/v1/tryons/t1" },
  warnings: [],
  samples: [],
  garments: [],
  progress: [],
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

test("how far a stage is is told until it ends, and steps are shown before what waits", () => {
  const step = { stage: "resize", queue: null, done: 1, of: 4, seconds_left: 9, preview: null } as Progress;
  const waits = { stage: "pose", queue: 2, done: null, of: null, seconds_left: null, preview: null } as Progress;
  const first = stepped(stepped(tryon, waits), step);
  expect([progressOf(tryon), progressOf(stepped(tryon, waits)), progressOf(first)]).toEqual([undefined, waits, step]);
  const second = stepped(first, { ...step, done: 2 });
  expect(second.progress).toEqual([waits, { ...step, done: 2 }]);
  expect(advance(second, { ...done, warnings: [...done.warnings] }).progress).toEqual([waits]);
});

test("samples come one after the other, each with results and doubts of its own", () => {
  const none = { seed: null, seconds: null, output: {}, warnings: [] };
  const two: Tryon = { ...tryon, samples: [1, 2].map((sample) => ({ sample, ...none })) };
  const doubt = { code: "odd", stage: "tryon", detail: "…" };
  const made = { stage: "tryon", status: "succeeded", outputs: { tryon: "sha256:1" } } as const;
  const first = advance(two, { ...made, seed: 7, seconds: 2 });
  const address = "/shop/v1/tryons/t1/artifacts/tryon";
  expect(first.samples[0]).toEqual({ sample: 1, seed: 7, seconds: 2, output: { tryon: address }, warnings: [] });
  expect([resultOf(first, 1), resultOf(first, 2)]).toEqual([{ tryon: address }, null]);

  const begun = advance(first, { stage: "tryon", status: "processing", seed: 8, sample: 2 });
  expect(begun.samples[1]).toMatchObject({ seed: 8, output: {} });
  const second = advance(begun, { ...made, seed: 8, sample: 2, seconds: 3, warnings: [doubt] });
  expect(second.samples[1]?.output).toEqual({ tryon: `${address}?sample=2` });
  expect([madeOf(begun), madeOf(second)]).toEqual([1, 2]);
  expect([warningsOf(second, 1), warningsOf(second, 2)]).toEqual([[], [doubt]]);
  expect([second.stages, second.artifacts]).toEqual([first.stages, first.artifacts]); // those of the first
  const pasted = advance(second, { ...made, stage: "paste_back", sample: 2, outputs: { tryon_photo: "sha256:2" } });
  expect(pasted.samples[1]).toMatchObject({ seed: 8, seconds: 3, warnings: [doubt] });
  expect(Object.keys(pasted.samples[1]?.output ?? {})).toEqual(["tryon", "tryon_photo"]);
});

test("what is put on second changes what is told of it alone, and is the last to make a result", () => {
  const stages = ["resize", "tryon"].map((stage) => ({ stage, status: "waiting" })) as Tryon["stages"];
  const none = { stages, artifacts: {}, warnings: [], image: "sha256:0", category: "upper" };
  const outfit: Tryon = {
    ...tryon,
    stages,
    garments: [1, 2].map((garment) => ({ ...none, garment })),
    samples: [{ sample: 1, seed: null, seconds: null, output: {}, warnings: [] }],
  };
  const doubt = { code: "odd", stage: "tryon", detail: "…" };
  const made = { stage: "tryon", status: "succeeded", outputs: { tryon: "sha256:1" }, warnings: [doubt] } as const;
  const first = advance(outfit, { ...made, warnings: [doubt], garment: 1 });
  expect(first.garments.map(({ warnings }) => warnings)).toEqual([[doubt], []]);
  expect(first.garments[0]?.artifacts.tryon).toBe("/shop/v1/tryons/t1/artifacts/tryon?garment=1");
  expect([first.stages[1]?.status, first.samples[0]?.output]).toEqual(["succeeded", {}]);
  const second = advance(first, { ...made, warnings: [], garment: 2 });
  expect(second.garments[1]?.stages[1]?.status).toBe("succeeded");
  expect([second.stages, second.artifacts]).toEqual([first.stages, first.artifacts]);
  expect(second.samples[0]?.output).toEqual({ tryon: "/shop/v1/tryons/t1/artifacts/tryon" });
});

test("without samples there is one result, at the end", () => {
  const output = { tryon: "/tryon" };
  expect(resultOf({ ...tryon, status: "processing" }, 1)).toBeNull();
  expect(resultOf({ ...tryon, status: "succeeded", output }, 1)).toEqual(output);
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
  expect(pageAt("/comparisons/c1")).toEqual({ name: "comparison", id: "c1" });
  expect(pageAt("/tryons/a/b")).toEqual({ name: "missing" });
});
