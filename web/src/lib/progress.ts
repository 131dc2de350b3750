import type { Tryon, Warning } from "../api/client";
import type { StageEvent } from "../api/follow";

/** A try-on's document after one more event. Events may come again: they change nothing then. */
export function advance(tryon: Tryon, event: StageEvent): Tryon {
  const { outputs = {}, warnings = [], error: _, seed, sample = 1, ...run } = event;
  const begun: Tryon = { ...tryon, status: "processing", samples: sampled(tryon, event) };
  if (sample > 1) return begun;
  const stages = tryon.stages.map((stage) => (stage.stage === run.stage ? { ...stage, ...run } : stage));
  const artifacts = { ...tryon.artifacts };
  for (const name of Object.keys(outputs)) artifacts[name] = `${tryon.urls.get}/artifacts/${name}`;
  return { ...begun, stages, artifacts, warnings: replaced(tryon.warnings, run.stage, warnings) };
}

/** The results that can be had of a sample. */
const RESULTS = ["tryon", "tryon_photo"];

/** The samples after an event. What there is to doubt of the first one is the try-on's. */
function sampled(tryon: Tryon, event: StageEvent): Tryon["samples"] {
  const { stage, seed, seconds, outputs = {}, warnings = [], sample = 1 } = event;
  const made = RESULTS.filter((name) => name in outputs);
  const query = sample > 1 ? `?sample=${sample}` : "";
  const output = Object.fromEntries(made.map((name) => [name, `${tryon.urls.get}/artifacts/${name}${query}`]));
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
