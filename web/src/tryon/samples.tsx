import type { Tryon } from "../api/client";
import { useText } from "../i18n";
import { Picture } from "../ui/picture";

interface Props {
  tryon: Tryon;
  chosen: number;
  onChosen(sample: number): void;
}

/** All samples, small, to choose the one that is shown large: with the mouse, a finger, or the arrow keys. */
export function Samples({ tryon, chosen, onChosen }: Props) {
  const { samples: t } = useText();
  const { samples } = tryon;
  if (samples.length === 0) return null;
  const seed = samples[chosen - 1]?.seed;
  return (
    <div className="samples-strip">
      <fieldset>
        <legend className="unseen">{t.choose}</legend>
        {samples.map(({ sample, output }) => (
          <label key={sample}>
            <input
              type="radio"
              name="sample"
              className="unseen"
              checked={sample === chosen}
              disabled={!output.tryon}
              aria-label={t.one(sample, samples.length)}
              onChange={() => onChosen(sample)}
            />
            <Picture path={output.tryon} alt="" width={96} />
            <span aria-hidden="true">{sample}</span>
          </label>
        ))}
      </fieldset>
      <p className="quiet">
        {t.one(chosen, samples.length)}
        {seed != null && ` · ${t.seed(seed)}`}
      </p>
    </div>
  );
}
