import type { Tryon, Warning } from "../api/client";
import { useText, word } from "../i18n";
import { statusOf } from "../lib/results";
import { optionsIn } from "../lib/wording";
import { Picture } from "../ui/picture";

/** The garments of an outfit, in the order in which they are put on, each with how far it is and what to doubt of it. */
export function Worn({ tryon, doubts }: { tryon: Tryon; doubts: Warning[][] }) {
  const t = useText();
  const { garments, options } = tryon;
  if (garments.length === 0) return null;
  const chosen = optionsIn(t, Object.assign({}, ...Object.values(options)));
  return (
    <section className="worn notes" aria-label={t.outfit.worn}>
      <h2>{t.outfit.worn}</h2>
      {chosen && <p className="quiet">{chosen}</p>}
      <ol>
        {garments.map((garment, index) => {
          const status = statusOf(tryon, garment);
          return (
            <li key={garment.garment} data-status={status}>
              <Picture path={garment.artifacts.garment} alt="" width={64} />
              <div>
                <p>
                  <strong>
                    {t.outfit.nth(garment.garment, word(t.options.categories, garment.category) ?? garment.category)}
                  </strong>{" "}
                  <small>{t.stageStatus[status]}</small>
                </p>
                <ul>
                  {(doubts[index] ?? []).map(({ code, detail }) => (
                    <li key={code} data-code={code}>
                      {word(t.warning, code) ?? detail}
                    </li>
                  ))}
                </ul>
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
