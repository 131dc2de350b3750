import { useEffect, useState } from "react";
import type { Progress } from "../api/follow";
import { duration, useSpeech, word } from "../i18n";

/** How far a stage is that works in steps, and how long it will take; or its place in line. */
export function Steps({ told }: { told: Progress }) {
  const { t, language } = useSpeech();
  const left = useCountdown(told);
  const stage = word(t.stage, told.stage) ?? told.stage;
  const waits = told.queue !== null;
  return (
    <div className="steps" data-waits={waits}>
      <p>
        <strong>{stage}</strong>
        <span>
          {waits ? t.steps.queued(told.queue ?? 1) : t.steps.done(told.done ?? 0, told.of ?? 1)}
          {!waits && left !== null && ` · ${t.steps.left(duration(left, language))}`}
        </span>
      </p>
      <progress aria-label={stage} max={told.of ?? 1} value={waits ? 0 : (told.done ?? 0)} />
    </div>
  );
}

/** The seconds left, which go on between one step and the next. */
function useCountdown(told: Progress): number | null {
  const [left, setLeft] = useState(told.seconds_left);
  useEffect(() => {
    setLeft(told.seconds_left);
    const { seconds_left } = told;
    if (seconds_left === null) return;
    const heard = Date.now();
    const ticking = setInterval(() => setLeft(Math.max(0, seconds_left - (Date.now() - heard) / 1000)), 1000);
    return () => clearInterval(ticking);
  }, [told]);
  return left;
}
