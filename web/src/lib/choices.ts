/** What somebody chooses for a try-on beside its pictures, and the form that the stages' engines ask for. Pure. */

import type { EngineChoice, Problem, Serving, Wishes } from "../api/client";

export type OptionValue = string | number | boolean;

export interface Choices {
  /** Of the garment; empty: as its outline tells. */
  category: string;
  commercial: boolean;
  /** Stage to engine, where it is another than the stage's own. */
  engines: Record<string, string>;
  /** Stage, option, value, where it is another than the default. */
  options: Record<string, Record<string, OptionValue>>;
  /** How many results, each with another seed. */
  samples: number;
}

export const NOTHING_CHOSEN: Choices = { category: "", commercial: false, engines: {}, options: {}, samples: 1 };

/** More would be a long wait, and too much to choose from; the gateway makes up to 8. */
export const MOST_SAMPLES = 4;

/** One option as JSON Schema, as far as engines declare them. */
export interface OptionSchema {
  type: "integer" | "number" | "boolean" | "string";
  default: OptionValue;
  description?: string;
  enum?: OptionValue[];
  minimum?: number;
  maximum?: number;
}

const TYPES = ["integer", "number", "boolean", "string"];

/** The options of an engine that a form can ask for. */
export function optionsOf({ option_schema }: Pick<EngineChoice, "option_schema">): [string, OptionSchema][] {
  const properties = (option_schema.properties ?? {}) as Record<string, OptionSchema>;
  return Object.entries(properties).filter(([, { type }]) => TYPES.includes(type));
}

/** The engine that would serve the stage. */
export function engineOf({ stage, engines }: Serving, choices: Choices): EngineChoice | undefined {
  const own = engines.find((one) => one.own);
  return engines.find(({ engine }) => engine === choices.engines[stage]) ?? own;
}

/** What of it can still be had: engines and their options come and go. All of it while nothing is known of them. */
export function standing(choices: Choices, serving: Serving[]): Choices {
  if (serving.length === 0) return choices;
  const options: Choices["options"] = {};
  for (const stage of serving) {
    const known = optionsOf(engineOf(stage, choices) ?? { option_schema: {} }).map(([name]) => name);
    const given = Object.entries(choices.options[stage.stage] ?? {}).filter(([name]) => known.includes(name));
    if (given.length > 0) options[stage.stage] = Object.fromEntries(given);
  }
  const there = ({ stage, engines }: Serving) => engines.some(({ engine }) => engine === choices.engines[stage]);
  const engines = serving.filter(there).map(({ stage }) => [stage, choices.engines[stage] ?? ""]);
  const still = { ...choices, engines: Object.fromEntries(engines), options };
  return { ...still, samples: Math.min(choices.samples, mostSamples(serving, still)) };
}

/** The stage that dresses people. */
export const generatorOf = (serving: Serving[]) => serving.find(({ outputs }) => "tryon" in outputs);

/** How many samples the generator can make that differ: one where it has no seed. */
export function mostSamples(serving: Serving[], choices: Choices): number {
  const generator = generatorOf(serving);
  const engine = generator && engineOf(generator, choices);
  return engine ? Math.min(MOST_SAMPLES, seedsOf(engine).count) : 1;
}

/** The seeds of an engine: the least one, its default, and how many there are; one where it has none. */
export function seedsOf(engine: EngineChoice): { least: number; first: number; count: number } {
  const [, seed] = optionsOf(engine).find(([name]) => name === "seed") ?? [];
  if (seed?.type !== "integer" || seed.enum || seed.minimum === undefined || seed.maximum === undefined)
    return { least: 0, first: 0, count: 1 };
  return { least: seed.minimum, first: Number(seed.default), count: seed.maximum - seed.minimum + 1 };
}

/** The engines among which there is a choice: none while all but one could not start. */
export function choiceOf({ engines }: Serving): EngineChoice[] {
  const reachable = engines.filter(({ own, health }) => own || health.ready);
  return reachable.length > 1 ? engines : [];
}

/** The stages of which something can be chosen; those first that people see most of: the nearest to the result. */
export function asked(serving: Serving[], choices: Choices): Serving[] {
  const asks = (stage: Serving) => {
    const engine = engineOf(stage, choices);
    return choiceOf(stage).length > 0 || (engine !== undefined && optionsOf(engine).length > 0);
  };
  return serving.filter(asks).reverse();
}

/** With another engine, which has options of its own. */
export function withEngine(choices: Choices, { stage, engines }: Serving, chosen: string): Choices {
  const own = engines.find((one) => one.own)?.engine === chosen;
  return {
    ...choices,
    engines: changed(choices.engines, stage, own ? undefined : chosen),
    options: changed(choices.options, stage, undefined),
  };
}

/** With another value of an option; undefined: the default, which is not sent. */
export function withOption(
  choices: Choices,
  stage: string,
  [name, schema]: [string, OptionSchema],
  value: OptionValue | undefined,
): Choices {
  const given = changed(choices.options[stage] ?? {}, name, value === schema.default ? undefined : value);
  return { ...choices, options: changed(choices.options, stage, Object.keys(given).length ? given : undefined) };
}

function changed<T>(all: Record<string, T>, name: string, value: T | undefined): Record<string, T> {
  const { [name]: _, ...others } = all;
  return value === undefined ? others : { ...others, [name]: value };
}

/** Whether the generator dresses people in the garment that was named. */
export function dresses(serving: Serving[], choices: Choices): boolean {
  const generator = generatorOf(serving);
  const engine = generator && engineOf(generator, choices);
  return !choices.category || !engine || engine.categories.includes(choices.category);
}

/** What is sent of it: only what was changed. */
export function wishesOf({ category, commercial, engines, options, samples }: Choices): Wishes {
  return {
    ...(category && { category: category as NonNullable<Wishes["category"]> }),
    ...(commercial && { commercial }),
    ...(Object.keys(engines).length > 0 && { engines }),
    ...(Object.keys(options).length > 0 && { options }),
    ...(samples > 1 && { samples }),
  };
}

/** How many things were changed. */
export function countOf({ category, commercial, engines, options, samples }: Choices): number {
  const set = Object.values(options).flatMap((given) => Object.keys(given));
  return Number(category !== "") + Number(commercial) + Number(samples > 1) + Object.keys(engines).length + set.length;
}

/** The place in the form that a refusal is about, which is also the id of the control there; null: it is about no choice. */
export function placeOf({ code, stage, option }: Problem, choices: Choices): string | null {
  if (code === "unsupported-category") return "category";
  if (code === "not-commercial") return "commercial";
  if (code === "bad-option" && stage && option && choices.options[stage]) return `options.${stage}.${option}`;
  return stage && choices.engines[stage] ? `engines.${stage}` : null;
}
