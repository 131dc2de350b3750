import { Refused, Unreachable } from "../api/client";
import { useText, word } from "../i18n";

/** What went wrong, and with what, in plain words; what the gateway said goes below, for whoever asks. */
export function ProblemText({ error, about }: { error: unknown; about?: string | undefined }) {
  const t = useText();
  const problem = error instanceof Refused ? error.problem : null;
  const said = error instanceof Unreachable ? t.unreachable : (word(t.problem, problem?.code) ?? t.problemUnknown);
  return (
    <div className="notice bad" role="alert">
      <p>{said}</p>
      {about && <p>{about}</p>}
      {problem?.detail && !word(t.problem, problem.code) && <p className="quiet">{problem.detail}</p>}
    </div>
  );
}
