import type { Warning } from "../api/client";
import { useText, word } from "../i18n";

/** The warnings in plain words, each said once. */
export function Notes({ warnings, heading }: { warnings: Warning[]; heading?: string }) {
  const t = useText();
  const title = heading ?? t.tryon.notes;
  const once = new Map(warnings.map((warning) => [warning.code, warning]));
  if (once.size === 0) return null;
  // What stood in is said last: it is about the service, not about the pictures.
  const aboutService = ({ code }: Warning) => Number(["fallback", "stand-in"].includes(code));
  const ordered = [...once.values()].sort((a, b) => aboutService(a) - aboutService(b));
  return (
    <section className="notes" aria-label={title}>
      <h2>{title}</h2>
      <ul>
        {ordered.map(({ code, detail }) => (
          <li key={code} data-code={code}>
            {word(t.warning, code) ?? detail}
          </li>
        ))}
      </ul>
    </section>
  );
}
