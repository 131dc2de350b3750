import { type CSSProperties, useState } from "react";
import { useText } from "../i18n";
import { Picture } from "../ui/picture";

/** In pixels of the page: previews do for looking at; whoever enlarges or saves gets the files themselves. */
const SHOWN = 512;

interface Props {
  before: string | undefined;
  after: string | undefined;
}

/** Both pictures in one place, with a line between them that a finger, the mouse or the arrow keys move. */
export function Compare({ before, after }: Props) {
  const t = useText().tryon;
  const [share, setShare] = useState(28);
  return (
    <div className="compare" style={{ "--share": `${share}%` } as CSSProperties}>
      <Picture path={after} alt={t.afterAlt} width={SHOWN} />
      <Picture path={before} alt={t.beforeAlt} width={SHOWN} className="upper" />
      <span className="tag left" aria-hidden="true" data-hidden={share < 18}>
        {t.before}
      </span>
      <span className="tag right" aria-hidden="true" data-hidden={share > 82}>
        {t.after}
      </span>
      <span className="line" aria-hidden="true" />
      <input
        type="range"
        min={0}
        max={100}
        value={share}
        aria-label={t.compare}
        aria-valuetext={t.compareValue(share)}
        onChange={(event) => setShare(Number(event.target.value))}
      />
    </div>
  );
}
