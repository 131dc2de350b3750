/** What somebody wants side by side: engines that dress people, with values of their options. Pure. */

import type { EngineChoice, Serving, VariantWish } from "../api/client";
import {
  type Choices,
  choiceOf,
  engineOf,
  generatorOf,
  type OptionSchema,
  type OptionValue,
  optionsOf,
  seedsOf,
} from "./choices";

export interface Compared {
  /** None: the one that is chosen for a single try-on. */
  engines: string[];
  /** Option to its values, for the engines that have it; one value holds for all of theirs. */
  values: Record<string, OptionValue[]>;
  /** Option to the numbers of it that were typed, as they were typed. */
  typed: Record<string, string>;
  /** How many seeds, of the engines that have one. */
  seeds: number;
}

export const NOTHING_COMPARED: Compared = { engines: [], values: {}, typed: {}, seeds: 1 };

/** As many as the gateway compares. */
export const MOST_VERSIONS = 8;

/** One of those that are compared: what it has of its own. */
export interface Version {
  engine: string;
  options: Record<string, OptionValue>;
}

/** What an option can be compared by: its words, or whether or not; none where it is a number or any text. */
export function valuesOf({ type, enum: words }: OptionSchema): OptionValue[] {
  return words ?? (type === "boolean" ? [false, true] : []);
}

/** What was typed, with commas between; NaN in the place of what is no number. */
const numbersIn = (text = ""): number[] => [
  ...new Set(
    text
      .split(/[\s,;]+/)
      .filter(Boolean)
      .map(Number),
  ),
];

/** Seeds are counted instead. */
const isNumeric = (name: string, { type, enum: words }: OptionSchema) =>
  name !== "seed" && (type === "integer" || type === "number") && !words;

const takes = ({ type, minimum = -Infinity, maximum = Infinity }: OptionSchema, value: number) =>
  minimum <= value && value <= maximum && (type === "number" || Number.isInteger(value));

/** The options of these engines that are numbers, each once. */
export function numericOf(engines: EngineChoice[]): [string, OptionSchema][] {
  const found = new Map<string, OptionSchema>();
  for (const [name, schema] of engines.flatMap(optionsOf))
    if (isNumeric(name, schema) && !found.has(name)) found.set(name, schema);
  return [...found];
}

/** Whether a number was typed that none of these engines takes, or what is no number. */
export const isMistyped = (compared: Compared, engines: EngineChoice[], name: string): boolean =>
  numbersIn(compared.typed[name]).some(
    (value) => !engines.flatMap(optionsOf).some(([one, schema]) => one === name && takes(schema, value)),
  );

/** The engines that are to be compared, or else the one that is chosen. */
export function enginesOf(compared: Compared, serving: Serving[], choices: Choices): EngineChoice[] {
  const generator = generatorOf(serving);
  if (!generator) return [];
  const ready = choiceOf(generator).filter(({ own, health }) => own || health.ready);
  const named = ready.filter(({ engine }) => compared.engines.includes(engine));
  const chosen = engineOf(generator, choices);
  return named.length > 0 || !chosen ? named : [chosen];
}

/** The options by which these engines can be compared, each once, with every value that one of them has. */
export function comparableOf(engines: EngineChoice[]): [string, OptionSchema, OptionValue[]][] {
  const found = new Map<string, [string, OptionSchema, OptionValue[]]>();
  for (const [name, schema] of engines.flatMap(optionsOf)) {
    const [, first = schema, before = []] = found.get(name) ?? [];
    const values = [...new Set([...before, ...valuesOf(schema)])];
    if (values.length > 1) found.set(name, [name, first, values]);
  }
  return [...found.values()];
}

/** Each engine with each combination of the values that were named and that it has. */
export function versionsOf(compared: Compared, serving: Serving[], choices: Choices): Version[] {
  return enginesOf(compared, serving, choices).flatMap((engine) =>
    combined(engine, compared, chosenOf(engine, serving, choices)).map((options) => ({
      engine: engine.engine,
      options,
    })),
  );
}

function combined(
  engine: EngineChoice,
  { values, typed, seeds }: Compared,
  chosen: Version["options"],
): Version["options"][] {
  let found: Version["options"][] = [{}];
  const each = (name: string, wanted: OptionValue[]) => {
    if (wanted.length > 0) found = found.flatMap((one) => wanted.map((value) => ({ ...one, [name]: value })));
  };
  for (const [name, schema] of optionsOf(engine))
    each(
      name,
      isNumeric(name, schema)
        ? numbersIn(typed[name]).filter((value) => takes(schema, value))
        : valuesOf(schema).filter((value) => values[name]?.includes(value)),
    );
  const { first, count } = seedsOf(engine);
  const start = Number(chosen.seed ?? first);
  if (count > 1 && seeds > 1) each("seed", seedsFrom(start, Math.min(seeds, count), engine));
  return found;
}

/** The next ones of a seed, as those of samples; after the last comes the first. */
function seedsFrom(start: number, count: number, engine: EngineChoice): number[] {
  const { least, count: all } = seedsOf(engine);
  return Array.from({ length: count }, (_, index) => least + ((start - least + index) % all));
}

/** Of the generator's options those that were chosen for this engine. */
function chosenOf({ engine }: EngineChoice, serving: Serving[], choices: Choices): Version["options"] {
  const generator = generatorOf(serving);
  const chosen = generator && engineOf(generator, choices)?.engine === engine;
  return (chosen && choices.options[generator.stage]) || {};
}

/** A version as the gateway takes it. label: what it is called on the sheet. */
export function variantOf(version: Version, label: string, serving: Serving[], choices: Choices): VariantWish {
  const generator = generatorOf(serving);
  const engine = generator?.engines.find((one) => one.engine === version.engine);
  if (!generator || !engine) return { label };
  const options = { ...chosenOf(engine, serving, choices), ...version.options };
  return {
    label,
    ...(!engine.own && { engines: { [generator.stage]: engine.engine } }),
    ...(Object.keys(options).length > 0 && { options: { [generator.stage]: options } }),
  };
}

/** What all versions share: the choices but for those about the generator, which each has by itself, and for samples. */
export function sharedOf(serving: Serving[], choices: Choices): Choices {
  const { stage = "" } = generatorOf(serving) ?? {};
  const { [stage]: _, ...engines } = choices.engines;
  const { [stage]: __, ...options } = choices.options;
  return { ...choices, engines, options, samples: 1 };
}

/** Take one out of a list, or put it in. */
export const toggled = <T>(all: T[], one: T): T[] =>
  all.includes(one) ? all.filter((other) => other !== one) : [...all, one];
