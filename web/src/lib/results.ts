/** What a try-on has to show, of which there may be several samples. Pure. */

import type { Tryon, Variant, Warning } from "../api/client";

/** Name to address of the results of a sample; null while there are none. */
export function resultOf({ status, output, samples }: Tryon, sample: number): Record<string, string> | null {
  const one = samples[sample - 1];
  if (one) return one.output.tryon ? one.output : null;
  return status === "succeeded" ? (output ?? {}) : null;
}

/** What is to be doubted of a sample. */
export const warningsOf = ({ warnings, samples }: Tryon, sample: number): Warning[] => [
  ...warnings,
  ...(samples[sample - 1]?.warnings ?? []),
];

/** How many samples can be looked at. */
export const madeOf = ({ samples }: Tryon): number => samples.filter(({ output }) => output.tryon).length;

/** What is to be doubted of all versions that were made, where there are several; each once. */
export function sharedBy(variants: Variant[]): Warning[] {
  const [first, ...others] = variants.filter(({ status }) => status === "succeeded");
  if (!first || others.length === 0) return [];
  const said = (variant: Variant, code: string) => variant.warnings.some((warning) => warning.code === code);
  return once(first.warnings).filter(({ code }) => others.every((other) => said(other, code)));
}

/** What is to be doubted of one version, without what is said of all. */
export const ownWarnings = ({ warnings }: Variant, shared: Warning[]): Warning[] =>
  once(warnings).filter(({ code }) => !shared.some((one) => one.code === code));

const once = (warnings: Warning[]): Warning[] => [
  ...new Map(warnings.map((warning) => [warning.code, warning])).values(),
];
