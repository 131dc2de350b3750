import { describe, expect, test } from "vitest";
import type { EngineChoice, Serving } from "../../src/api/client";
import {
  asked,
  type Choices,
  choiceOf,
  countOf,
  dresses,
  mostSamples,
  NOTHING_CHOSEN,
  type OptionSchema,
  optionsOf,
  placeOf,
  standing,
  wishesOf,
  withEngine,
  withOption,
} from "../../src/lib/choices";

const SEED: OptionSchema = { type: "integer", minimum: 0, maximum: 99, default: 7, description: "Of the noise." };
const HEM: OptionSchema = { type: "string", enum: ["hanging", "tucked"], default: "hanging" };

const engine = (name: string, properties: object, more: Partial<EngineChoice> = {}) =>
  ({
    engine: name,
    own: false,
    licence: "MIT",
    commercial: "yes",
    categories: ["upper"],
    health: { ready: true },
    option_schema: { type: "object", properties },
    ...more,
  }) as EngineChoice;
const stage = (name: string, engines: EngineChoice[], outputs: Serving["outputs"] = {}) =>
  ({ stage: name, engines, outputs }) as Serving;

const TRYON = stage(
  "tryon",
  [
    engine("tps", { hem: HEM }, { own: true }),
    engine("drawn", { seed: SEED }, { categories: ["upper", "dress"] }),
    engine("away", {}, { health: { ready: false } }),
  ],
  { tryon: "image" },
);
const POSE = stage("pose", [engine("blazepose", {}, { own: true }), engine("away", {}, { health: { ready: false } })]);
const AGNOSTIC = stage("agnostic", [engine("viton_hd", { recipe: HEM }, { own: true })]);
const SERVING = [POSE, AGNOSTIC, TRYON];

const drawn = withEngine(NOTHING_CHOSEN, TRYON, "drawn");
const seeded = withOption(drawn, "tryon", ["seed", SEED], 3);

describe("what is sent of the choices", () => {
  test("is nothing where nothing was changed, or changed back", () => {
    expect(wishesOf(NOTHING_CHOSEN)).toEqual({});
    const back = withOption(
      withOption(NOTHING_CHOSEN, "tryon", ["hem", HEM], "tucked"),
      "tryon",
      ["hem", HEM],
      "hanging",
    );
    expect(back).toEqual(NOTHING_CHOSEN);
    expect(withOption(seeded, "tryon", ["seed", SEED], undefined)).toEqual(drawn);
    expect(withEngine(seeded, TRYON, "tps")).toEqual(NOTHING_CHOSEN);
    expect([NOTHING_CHOSEN, seeded].map(countOf)).toEqual([0, 2]);
  });

  test("is what was changed, as the API takes it", () => {
    const all: Choices = { ...seeded, category: "dress", commercial: true };
    const wished = { engines: { tryon: "drawn" }, options: { tryon: { seed: 3 } } };
    expect(wishesOf(all)).toEqual({ ...wished, category: "dress", commercial: true });
  });

  test("leaves out what another engine does not have, and what is no longer there", () => {
    const tucked = withOption(NOTHING_CHOSEN, "tryon", ["hem", HEM], "tucked");
    expect(withEngine(tucked, TRYON, "drawn").options).toEqual({});
    const without = stage("tryon", TRYON.engines.slice(0, 1), TRYON.outputs);
    expect(standing(seeded, [POSE, without])).toEqual(NOTHING_CHOSEN);
    expect(standing(seeded, SERVING)).toEqual(seeded);
    expect(standing(seeded, [])).toEqual(seeded);
  });
});

describe("the form", () => {
  test("asks of stages that have options or several engines that run, those near the result first", () => {
    expect(asked(SERVING, NOTHING_CHOSEN).map((one) => one.stage)).toEqual(["tryon", "agnostic"]);
    expect(choiceOf(POSE)).toEqual([]);
    expect(choiceOf(TRYON)).toHaveLength(3);
  });

  test("has a field for each option whose type it knows", () => {
    const odd = engine("odd", { seed: SEED, place: { type: "array", default: [] } });
    expect(optionsOf(odd).map(([name]) => name)).toEqual(["seed"]);
    expect(optionsOf({ option_schema: {} })).toEqual([]);
  });

  test("knows what the chosen generator dresses people in", () => {
    expect(dresses(SERVING, NOTHING_CHOSEN)).toBe(true);
    expect(dresses(SERVING, { ...NOTHING_CHOSEN, category: "dress" })).toBe(false);
    expect(dresses(SERVING, { ...drawn, category: "dress" })).toBe(true);
    expect(dresses([], { ...NOTHING_CHOSEN, category: "dress" })).toBe(true);
  });

  test("offers as many samples as there are seeds, up to four, and keeps no more", () => {
    expect([NOTHING_CHOSEN, drawn].map((choices) => mostSamples(SERVING, choices))).toEqual([1, 4]);
    const few = engine("few", { seed: { ...SEED, minimum: 1, maximum: 3 } }, { own: true });
    const [fewer, odd] = [few, engine("odd", { seed: HEM }, { own: true })].map((one) =>
      stage("tryon", [one], TRYON.outputs),
    ) as [Serving, Serving];
    expect(mostSamples([fewer], NOTHING_CHOSEN)).toBe(3);
    expect(mostSamples([odd], NOTHING_CHOSEN)).toBe(1);
    const four = { ...drawn, samples: 4 };
    expect(wishesOf(four)).toEqual({ engines: { tryon: "drawn" }, samples: 4 });
    expect(countOf(four)).toBe(2);
    expect(standing(four, SERVING)).toEqual(four);
    expect(wishesOf(standing({ ...four, engines: {} }, SERVING))).toEqual({});
    expect(standing(four, [fewer]).samples).toBe(3);
  });

  test.each([
    [{ code: "bad-option", stage: "tryon", option: "seed" }, "options.tryon.seed"],
    [{ code: "bad-engine", stage: "tryon" }, "engines.tryon"],
    [{ code: "weights-missing", stage: "tryon" }, "engines.tryon"],
    [{ code: "weights-missing", stage: "pose" }, null],
    [{ code: "bad-option", stage: "pose", option: "seed" }, null],
    [{ code: "not-commercial" }, "commercial"],
    [{ code: "unsupported-category" }, "category"],
    [{ code: "storage-full" }, null],
  ])("shows the refusal %j at %s", (problem, place) => {
    expect(placeOf({ status: 400, ...problem }, seeded)).toBe(place);
  });
});
