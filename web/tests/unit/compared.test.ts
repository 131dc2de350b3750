import { describe, expect, test } from "vitest";
import type { EngineChoice, Serving, Variant, Warning } from "../../src/api/client";
import { dictionaries } from "../../src/i18n";
import { NOTHING_CHOSEN, type OptionSchema, wishesOf } from "../../src/lib/choices";
import {
  type Compared,
  comparableOf,
  enginesOf,
  isMistyped,
  NOTHING_COMPARED,
  numericOf,
  sharedOf,
  toggled,
  variantOf,
  versionsOf,
} from "../../src/lib/compared";
import { outcomeOf, ownWarnings, sharedBy } from "../../src/lib/results";
import { labelOf, optionsIn } from "../../src/lib/wording";

const SEED: OptionSchema = { type: "integer", minimum: 0, maximum: 9, default: 7 };
const HEM: OptionSchema = { type: "string", enum: ["hanging", "tucked"], default: "hanging" };
const STRENGTH: OptionSchema = { type: "number", minimum: 0, maximum: 1, default: 1 };
const STEPS: OptionSchema = { type: "integer", minimum: 1, maximum: 50, default: 30 };
const MIRRORED: OptionSchema = { type: "boolean", default: false };

const engine = (name: string, properties: object, more: Partial<EngineChoice> = {}) =>
  ({
    engine: name,
    own: false,
    health: { ready: true },
    option_schema: { type: "object", properties },
    ...more,
  }) as EngineChoice;
const TRYON = {
  stage: "tryon",
  engines: [
    engine("tps", { hem: HEM, light: HEM }, { own: true }),
    engine("drawn", { hem: HEM, seed: SEED, mirrored: MIRRORED, strength: STRENGTH, steps: STEPS }),
    engine("away", { hem: HEM }, { health: { ready: false } }),
  ],
  outputs: { tryon: "image" },
} as unknown as Serving;
const SERVING = [TRYON];
const versions = (compared: Partial<Compared>, choices = NOTHING_CHOSEN) =>
  versionsOf({ ...NOTHING_COMPARED, ...compared }, SERVING, choices);

describe("what is compared", () => {
  test("is the chosen engine alone while nothing is named", () => {
    expect(versions({})).toEqual([{ engine: "tps", options: {} }]);
    expect(versions({}, { ...NOTHING_CHOSEN, engines: { tryon: "drawn" } })).toEqual([
      { engine: "drawn", options: {} },
    ]);
    expect(versionsOf(NOTHING_COMPARED, [], NOTHING_CHOSEN)).toEqual([]);
  });

  test("is each engine with each combination of the values that it has", () => {
    const all = versions({
      engines: ["drawn", "tps"],
      values: { hem: ["tucked", "hanging"], mirrored: [true], light: ["tucked"] },
    });
    expect(all).toEqual([
      { engine: "tps", options: { hem: "hanging", light: "tucked" } },
      { engine: "tps", options: { hem: "tucked", light: "tucked" } },
      { engine: "drawn", options: { hem: "hanging", mirrored: true } },
      { engine: "drawn", options: { hem: "tucked", mirrored: true } },
    ]);
  });

  test("knows no engine that is away, and no value that there is not", () => {
    expect(versions({ engines: ["away", "gone"], values: { hem: ["rolled"], sleeves: ["long"] } })).toEqual(
      versions({}),
    );
  });

  test("goes through seeds from the one that was chosen, the first after the last", () => {
    const chosen = { ...NOTHING_CHOSEN, engines: { tryon: "drawn" }, options: { tryon: { seed: 8 } } };
    expect(versions({ seeds: 3 }, chosen).map(({ options }) => options.seed)).toEqual([8, 9, 0]);
    expect(versions({ engines: ["tps", "drawn"], seeds: 2 })).toEqual([
      { engine: "tps", options: {} },
      { engine: "drawn", options: { seed: 7 } },
      { engine: "drawn", options: { seed: 8 } },
    ]);
  });

  test("is each of the numbers that were typed, of the engines that take them", () => {
    const typed = { steps: "8, 30;30", strength: " 0.5 ", sleeves: "1,2" };
    expect(versions({ engines: ["tps", "drawn"], typed })).toEqual([
      { engine: "tps", options: {} },
      { engine: "drawn", options: { strength: 0.5, steps: 8 } },
      { engine: "drawn", options: { strength: 0.5, steps: 30 } },
    ]);
    expect(versions({ engines: ["drawn"], typed: { steps: ", ,", seed: "1,2" } })).toHaveLength(1);
    const drawn = { ...NOTHING_COMPARED, engines: ["drawn"] };
    const engines = enginesOf(drawn, SERVING, NOTHING_CHOSEN);
    expect(numericOf(engines).map(([name]) => name)).toEqual(["strength", "steps"]);
    expect(numericOf(enginesOf(NOTHING_COMPARED, SERVING, NOTHING_CHOSEN))).toEqual([]);
    const wrong = (text: string) => isMistyped({ ...drawn, typed: { steps: text } }, engines, "steps");
    expect(["8, 30", "", "8,"].map(wrong)).toEqual([false, false, false]);
    expect(["8, 51", "0", "2.5", "8, many", "1e"].map(wrong)).toEqual([true, true, true, true, true]);
    expect(versions({ engines: ["drawn"], typed: { steps: "51, 8, many" } })).toHaveLength(1);
  });

  test("is offered where there is more than one value", () => {
    const of = (names: string[]) =>
      comparableOf(enginesOf({ ...NOTHING_COMPARED, engines: names }, SERVING, NOTHING_CHOSEN)).map(([name]) => name);
    expect(of([])).toEqual(["hem", "light"]);
    expect(of(["tps", "drawn"])).toEqual(["hem", "light", "mirrored"]);
    expect(toggled(toggled(["a"], "b"), "a")).toEqual(["b"]);
  });
});

describe("what is sent of it", () => {
  const choices = {
    ...NOTHING_CHOSEN,
    category: "upper",
    samples: 3,
    engines: { tryon: "drawn", pose: "other" },
    options: { tryon: { seed: 3, hem: "tucked" }, agnostic: { recipe: "hd" } },
  };

  test("is what each has of its own, with what was chosen for its engine", () => {
    const sent = versions({ engines: ["tps", "drawn"], values: { hem: ["hanging"] } }, choices).map((version) =>
      variantOf(version, version.engine, SERVING, choices),
    );
    expect(sent).toEqual([
      { label: "tps", options: { tryon: { hem: "hanging" } } },
      { label: "drawn", engines: { tryon: "drawn" }, options: { tryon: { seed: 3, hem: "hanging" } } },
    ]);
    expect(variantOf({ engine: "tps", options: {} }, "plain", SERVING, choices)).toEqual({ label: "plain" });
  });

  test("is, of the rest, what all share", () => {
    expect(wishesOf(sharedOf(SERVING, choices))).toEqual({
      category: "upper",
      engines: { pose: "other" },
      options: { agnostic: { recipe: "hd" } },
    });
  });
});

test("a version is called by what it has of its own, in the words of the language", () => {
  const { en, ko } = dictionaries;
  const tucked = { engine: "tps", options: { hem: "tucked", mirrored: true } };
  expect(labelOf(en, tucked, false)).toBe("Hem: tucked in · mirrored: yes");
  expect(labelOf(en, tucked, true)).toBe("tps · Hem: tucked in · mirrored: yes");
  expect(labelOf(ko, tucked, false)).toMatch(/^밑단: 넣어 입기 · mirrored: 예$/);
  expect(labelOf(en, { engine: "tps", options: {} }, false)).toBe("tps");
  expect(labelOf(en, { engine: "x".repeat(99), options: {} }, true)).toHaveLength(60); // the gateway takes no more
  expect(optionsIn(en, { seed: 7 })).toBe("Seed: 7");
});

test("what is to be doubted of all versions is told apart from what is to be doubted of one", () => {
  const doubts = (...codes: string[]) => codes.map((code) => ({ code, stage: "tryon", detail: code }) as Warning);
  const made = (...codes: string[]) => ({ status: "succeeded", warnings: doubts(...codes) }) as Variant;
  const [one, two] = [made("stand-in", "doubtful-fit", "stand-in"), made("stand-in")];
  const failed = { status: "failed", warnings: doubts() } as unknown as Variant;
  const shared = sharedBy([one, failed, two]);
  expect(shared.map(({ code }) => code)).toEqual(["stand-in"]);
  expect([one, two].map((each) => ownWarnings(each, shared).map(({ code }) => code))).toEqual([["doubtful-fit"], []]);
  expect(sharedBy([one, failed])).toEqual([]);
});

test.each([
  ["completed", ["failed", "canceled", "succeeded"]],
  ["nothing", ["failed", "canceled"]],
  ["nothing", ["deleted"]],
  ["stopped", ["canceled", "canceled"]],
])("a comparison is %s after %j", (outcome, statuses) => {
  expect(outcomeOf(statuses.map((status) => ({ status }) as Variant))).toBe(outcome);
});
