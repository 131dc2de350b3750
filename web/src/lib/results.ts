/** What a try-on has to show, of which there may be several samples. Pure. */

import type { Tryon, Warning } from "../api/client";

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
