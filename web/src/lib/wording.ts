/** What engines call things, in the words of a language. Pure. */

import { type Dictionary, word } from "../i18n";
import type { Version } from "./compared";

/** A value of an option. */
export function valueIn(t: Dictionary, value: unknown): string {
  if (typeof value === "boolean") return value ? t.options.on : t.options.off;
  return word(t.choice, String(value)) ?? String(value);
}

/** Options with their values: "Hem: tucked in · Seed: 7". */
export const optionsIn = (t: Dictionary, options: Record<string, unknown>): string =>
  Object.entries(options)
    .map(([name, value]) => `${word(t.option, name) ?? name}: ${valueIn(t, value)}`)
    .join(" · ");

/** The gateway takes no longer ones. */
const LONGEST_LABEL = 60;

/** What a version is called: by what it has of its own, and by its engine where there are several or nothing else. */
export function labelOf(t: Dictionary, { engine, options }: Version, several: boolean): string {
  const said = optionsIn(t, options);
  const whole = [(several || !said) && engine, said].filter(Boolean).join(" · ");
  return whole.length > LONGEST_LABEL ? `${whole.slice(0, LONGEST_LABEL - 1)}…` : whole;
}
