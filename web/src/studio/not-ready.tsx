import { useEffect, useState } from "react";
import { api, type Serving } from "../api/client";
import { useText } from "../i18n";
import { NotReady } from "../ui/not-ready";

const LOOK_AGAIN_MS = 5000;

/** Says before anybody chooses pictures that a try-on would fail now, and why; gone as soon as it would not. */
export function ServiceNotReady() {
  const t = useText().notReady;
  const [down, setDown] = useState<Serving[]>([]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let here = true;
    const look = async () => {
      // Without an answer there is nothing to say: what is wrong then is told where it matters.
      const stages = await api.stages().catch(() => []);
      if (!here) return;
      const found = stages.filter(({ health }) => !health.ready);
      setDown(found);
      if (found.length > 0) timer = setTimeout(look, LOOK_AGAIN_MS);
    };
    look();
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, []);

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
