import type { Serving } from "../api/client";
import { useText, word } from "../i18n";

/** Why a stage is not ready, and the command that brings its weights where they are missing. */
export function NotReady({ stage }: { stage: Serving }) {
  const t = useText();
  const { code, command, detail } = stage.health as { code?: string; command?: string; detail?: string };
  const name = word(t.stage, stage.stage) ?? stage.stage;
  return (
    <li>
      {code === "weights-missing" ? t.notReady.weights(name) : t.notReady.other(name)}
      {command ? <code className="command">{command}</code> : detail && <small>{detail}</small>}
    </li>
  );
}
