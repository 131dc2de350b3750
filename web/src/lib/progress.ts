import type { Tryon } from "../api/client";
import type { StageEvent } from "../api/follow";

/** A try-on's document after one more event. Events may come again: they change nothing then. */
export function advance(tryon: Tryon, event: StageEvent): Tryon {
  const { outputs = {}, warnings = [], error: _, ...run } = event;
  const stages = tryon.stages.map((stage) => (stage.stage === run.stage ? { ...stage, ...run } : stage));
  const artifacts = { ...tryon.artifacts };
  for (const name of Object.keys(outputs)) artifacts[name] = `${tryon.urls.get}/artifacts/${name}`;
  const others = tryon.warnings.filter((known) => !warnings.some((one) => one.stage === known.stage));
  return { ...tryon, status: "processing", stages, artifacts, warnings: [...others, ...warnings] };
}

export const hasEnded = (tryon: Tryon) => ["succeeded", "failed", "canceled"].includes(tryon.status);
