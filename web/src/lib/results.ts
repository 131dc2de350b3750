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

/** What became of the versions of a comparison that is over; stopped: by the shopper, and nothing else went wrong. */
export function outcomeOf(variants: Variant[]): "completed" | "nothing" | "stopped" {
  const ended = new Set(variants.map(({ status }) => status));
  if (ended.has("succeeded")) return "completed";
  return ended.has("canceled") && !ended.has("failed") ? "stopped" : "nothing";
}

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

export type Garment = Tryon["garments"][number];

/** What is to be doubted of each garment of an outfit, once; what of the person is not among it. */
export const doubtsOf = ({ garments }: Tryon): Warning[][] =>
  garments.map(({ warnings }) => once(warnings.filter(({ stage }) => isOfGarment(garments, stage))));

/** A stage that runs for every garment is about the garments; one that runs once is about the person. */
const isOfGarment = (garments: Garment[], stage: string): boolean =>
  garments.every(({ stages }) => stages.some((run) => run.stage === stage));

/** What is to be doubted of the whole: of an outfit without what is told of one of its garments. */
export const wholeWarnings = (tryon: Tryon, sample: number): Warning[] =>
  warningsOf(
    tryon.garments.length > 0
      ? { ...tryon, warnings: tryon.warnings.filter(({ stage }) => !isOfGarment(tryon.garments, stage)) }
      : tryon,
    sample,
  );

/** The garment of an outfit that could not be put on; what is wrong with the photo is about none of them. */
export const failedOf = ({ error, garments }: Tryon): Garment | undefined =>
  garments.find(({ garment }) => garment === error?.garment && isOfGarment(garments, String(error.stage)));

/** How far one garment of an outfit is. */
export function statusOf(tryon: Tryon, one: Garment): "waiting" | "processing" | "succeeded" | "failed" | "skipped" {
  const { stages } = one;
  if (failedOf(tryon)?.garment === one.garment) return "failed";
  if (stages.every(({ status }) => status === "succeeded")) return "succeeded";
  if (stages.some(({ status }) => status === "skipped" || status === "failed")) return "skipped";
  return stages.some(({ status, engine }) => status !== "waiting" && engine !== "given") ? "processing" : "waiting";
}

/** A try-on as it looks to whoever asks how one garment of several was put on: with the stages and artifacts of that one. */
export function asOf(tryon: Tryon, garment: number): Tryon {
  const one = tryon.garments.find((each) => each.garment === garment);
  if (!one) return tryon;
  const ofAll = tryon.stages.filter(
    ({ stage }) => !tryon.garments.some((each) => each.stages.some((run) => run.stage === stage)),
  );
  return { ...tryon, stages: [...one.stages, ...ofAll], artifacts: { ...tryon.artifacts, ...one.artifacts } };
}

/** Every run of a stage, of all garments. */
export const runsOf = ({ stages, garments }: Tryon): Tryon["stages"] => [
  ...stages,
  ...garments.slice(1).flatMap((garment) => garment.stages),
];

/** Addresses of the pictures of what is worn. */
export const wornIn = ({ artifacts, garments }: Tryon): (string | undefined)[] =>
  garments.length > 0 ? garments.map((garment) => garment.artifacts.garment) : [artifacts.garment];
