import type { Serving } from "../api/client";
import { useText } from "../i18n";
import { NotReady } from "../ui/not-ready";

/** Says before anybody chooses pictures that a try-on would fail now, and why; gone as soon as it would not. */
export function ServiceNotReady({ serving }: { serving: Serving[] }) {
  const t = useText().notReady;
  const down = serving.filter(({ health }) => !health.ready);
  if (down.length === 0) return null;
  return (
    <div className="notice bad" role="status">
      <p>{t.heading}</p>
      <ul className="causes">
        {down.map((stage) => (
          <NotReady key={stage.stage} stage={stage} />
        ))}
      </ul>
    </div>
  );
}
