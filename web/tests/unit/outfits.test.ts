import { describe, expect, test } from "vitest";
import type { Tryon } from "../../src/api/client";
import { besides, imagesOf, partnersOf, withFirst } from "../../src/lib/outfits";
import { asOf, doubtsOf, failedOf, runsOf, statusOf, wholeWarnings, wornIn } from "../../src/lib/results";

test("what goes together is a top with trousers, a skirt or a dress, whichever comes first", () => {
  expect(partnersOf("upper")).toEqual(["lower", "dress"]);
  expect([partnersOf("lower"), partnersOf("dress")]).toEqual([["upper"], ["upper"]]);
  expect(besides("")).toEqual({ picture: null, firstIs: "upper", secondIs: "lower" });
  expect(besides("dress")).toEqual({ picture: null, firstIs: "dress", secondIs: "upper" });
  const overDress = { ...besides("upper"), secondIs: "dress" as const };
  expect(withFirst(overDress, "upper")).toEqual(overDress);
  expect(withFirst(overDress, "lower")).toMatchObject({ firstIs: "lower", secondIs: "upper" });
});

test("the pictures are sent by what they show", () => {
  expect(imagesOf("p", "g", null)).toEqual({ photo: "p", garment: "g" });
  expect(imagesOf("p", "g", besides("lower"), "h")).toEqual({
    photo: "p",
    "garments.lower": "g",
    "garments.upper": "h",
  });
});

describe("of an outfit", () => {
  const runs = (status: string, ...stages: string[]) => stages.map((stage) => ({ stage, status, engine: "tps" }));
  const doubts = (...stages: string[]) => stages.map((stage) => ({ code: `odd-${stage}`, stage, detail: "…" }));
  const outfit = {
    status: "succeeded",
    stages: runs("succeeded", "pose", "cloth_mask", "tryon", "paste_back"),
    artifacts: { photo: "/photo", garment: "/1", cloth: "/1c", tryon: "/end", tryon_photo: "/whole" },
    garments: [
      {
        garment: 1,
        category: "lower",
        stages: runs("succeeded", "pose", "cloth_mask", "tryon"),
        artifacts: { garment: "/1", cloth: "/1c", tryon: "/half" },
        warnings: doubts("pose", "tryon"),
      },
      {
        garment: 2,
        category: "upper",
        stages: runs("succeeded", "cloth_mask", "tryon"),
        artifacts: { garment: "/2", cloth: "/2c", tryon: "/end" },
        warnings: doubts("cloth_mask", "cloth_mask"),
      },
    ],
    samples: [],
    warnings: doubts("pose", "tryon", "cloth_mask", "cloth_mask", "gateway"),
    error: null,
  } as unknown as Tryon;

  test("what is to be doubted of a garment stands with it, and the person's and the whole's apart", () => {
    expect(doubtsOf(outfit).map((each) => each.map(({ stage }) => stage))).toEqual([["tryon"], ["cloth_mask"]]);
    expect(wholeWarnings(outfit, 1).map(({ stage }) => stage)).toEqual(["pose", "gateway"]);
    const single = { ...outfit, garments: [] };
    expect(wholeWarnings(single, 1)).toEqual(single.warnings);
    const sample = { sample: 2, seed: 8, seconds: 1, output: {}, warnings: doubts("tryon") };
    const sampled = { ...outfit, samples: [{ ...sample, sample: 1, warnings: [] }, sample] };
    expect(wholeWarnings(sampled, 2).map(({ stage }) => stage)).toEqual(["pose", "gateway", "tryon"]);
  });

  test("each garment is told how far it is", () => {
    const [first, second] = outfit.garments as [Tryon["garments"][number], Tryon["garments"][number]];
    expect(statusOf(outfit, first)).toBe("succeeded");
    expect(statusOf({ ...outfit, error: { garment: 2, stage: "tryon" } }, second)).toBe("failed");
    const nobody = { ...outfit, error: { garment: 1, stage: "pose" } };
    expect([failedOf(nobody), failedOf(outfit)]).toEqual([undefined, undefined]);
    const left = (...states: string[]) =>
      ({ ...second, stages: states.map((status) => ({ stage: status, status })) }) as typeof second;
    expect(statusOf(outfit, left("waiting", "waiting"))).toBe("waiting");
    expect(statusOf(outfit, left("succeeded", "waiting"))).toBe("processing");
    expect(statusOf(outfit, left("succeeded", "skipped"))).toBe("skipped");
    const given = { stage: "category", status: "succeeded", engine: "given" };
    expect(statusOf(outfit, { ...second, stages: [given, ...left("waiting").stages] } as typeof second)).toBe(
      "waiting",
    );
  });

  test("each garment has the stages and artifacts of its own, and what is made of the result", () => {
    const second = asOf(outfit, 2);
    expect(second.stages.map(({ stage }) => stage)).toEqual(["cloth_mask", "tryon", "paste_back"]);
    expect(second.artifacts).toMatchObject({ photo: "/photo", cloth: "/2c", tryon: "/end", tryon_photo: "/whole" });
    expect(asOf(outfit, 1).artifacts.tryon).toBe("/half");
    const single = { ...outfit, garments: [] };
    expect(asOf(single, 1)).toBe(single);
    expect(runsOf(outfit)).toHaveLength(6);
    expect([wornIn(outfit), wornIn(single)]).toEqual([["/1", "/2"], ["/1"]]);
  });
});
