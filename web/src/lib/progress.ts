import type { Tryon, Warning } from "../api/client";
import type { Progress, StageEvent } from "../api/follow";

/** A try-on's document after one more event. Events may come again: they change nothing then. */
export function advance(tryon: Tryon, event: StageEvent): Tryon {
  const { outputs = {}, warnings = [], error: _, seed, sample = 1, garment, ...run } = event;
  const progress = tryon.progress.filter(({ stage }) => stage !== run.stage); // it began, or ended
  const begun: Tryon = { ...tryon, status: "processing", samples: sampled(tryon, event), progress };
  if (sample > 1) return begun;
  const known = <T extends Shown>(shown: T, query = ""): T => ({
    ...shown,
    stages: shown.stages.map((stage) => (stage.stage === run.stage ? { ...stage, ...run } : stage)),
    artifacts: { ...shown.artifacts, ...addressesOf(tryon, Object.keys(outputs), query) },
    warnings: replaced(shown.warnings, run.stage, warnings),
  });
  const garments = tryon.garments.map((one) => (one.garment === garment ? known(one, `?garment=${garment}`) : one));
  // The document tells of its own the stages of the first garment, and of the result.
  return garment !== undefined && garment > 1 ? { ...begun, garments } : { ...known(begun), garments };
}

/** The document after a stage told how far it is. */
export const stepped = (tryon: Tryon, told: Progress): Tryon => ({
  ...tryon,
  progress: [...tryon.progress.filter(({ stage }) => stage !== told.stage), told],
});

/** What is to be shown of how far a try-on is: the stage that works in steps, else one that waits in line. */
export const progressOf = ({ progress }: Tryon): Progress | undefined =>
  progress.find(({ of }) => of !== null) ?? progress.find(({ queue }) => queue !== null);

type Shown = Pick<Tryon, "stages" | "artifacts" | "warnings">;

const addressesOf = ({ urls }: Tryon, names: string[], query: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, `${urls.get}/artifacts/${name}${query}`]));

/** The results that can be had of a sample. */
const RESULTS = ["tryon", "tryon_photo"];

/** The samples after an event. What there is to doubt of the first one is the try-on's. */
function sampled(tryon: Tryon, event: StageEvent): Tryon["samples"] {
  const { stage, seed, seconds, outputs = {}, warnings = [], sample = 1, garment } = event;
  const isLast = garment === undefined || garment === tryon.garments.length; // until then there is more to put on
  const made = isLast ? RESULTS.filter((name) => name in outputs) : [];
  const output = addressesOf(tryon, made, sample > 1 ? `?sample=${sample}` : "");
  return tryon.samples.map((one) =>
    one.sample === sample
      ? {
          ...one,
          ...(seed !== undefined && { seed, seconds: seconds ?? null }),
          output: { ...one.output, ...output },
          warnings: sample > 1 ? replaced(one.warnings, stage, warnings) : one.warnings,
        }
      : one,
  );
}

/** With those of a stage in the place of its earlier ones. */
function replaced(warnings: Warning[], stage: string, newer: Warning[]): Warning[] {
  return newer.length > 0 ? [...warnings.filter((one) => one.stage !== stage), ...newer] : warnings;
}

export const hasEnded = (tryon: Tryon) => ["succeeded", "failed", "canceled"].includes(tryon.status);
