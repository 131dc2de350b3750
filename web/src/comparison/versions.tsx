import type { Variant } from "../api/client";
import { seconds, useSpeech, word } from "../i18n";
import { ownWarnings, sharedBy } from "../lib/results";
import { optionsIn } from "../lib/wording";
import { Link } from "../ui/link";
import { Picture } from "../ui/picture";

/** The table of a comparison; on phones each row is a card. */
export function Versions({ variants }: { variants: Variant[] }) {
  const { t } = useSpeech();
  const columns = t.comparison.columns;
  return (
    <table className="versions">
      <caption className="unseen">{t.comparison.table}</caption>
      <thead>
        <tr>
          {Object.entries(columns).map(([name, title]) => (
            <th key={name} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {variants.map((variant) => (
          <Version key={variant.tryon_id} variant={variant} all={variants} />
        ))}
      </tbody>
    </table>
  );
}

function Version({ variant, all }: { variant: Variant; all: Variant[] }) {
  const { t, language } = useSpeech();
  const { label, status, licence, commercial, total_seconds } = variant;
  const columns = t.comparison.columns;
  const options = optionsIn(t, Object.assign({}, ...Object.values(variant.options)));
  return (
    <tr data-status={status}>
      <th scope="row">
        <div>
          <Picture path={variant.tryon ?? undefined} alt="" width={72} />
          <span>
            {status === "deleted" ? label : <Link href={`/tryons/${variant.tryon_id}`}>{label}</Link>}
            {!label.includes(options) && <small>{options}</small>}
            {status !== "succeeded" && <small className="state">{word(t.batch.status, status)}</small>}
          </span>
        </div>
      </th>
      <td data-column={columns.engine}>{variant.engine}</td>
      <td data-column={columns.seconds}>
        {variant.seconds != null && seconds(variant.seconds, language)}
        {status === "succeeded" && total_seconds != null && (
          <small>{t.comparison.inAll(seconds(total_seconds, language))}</small>
        )}
      </td>
      <td data-column={columns.licence}>
        {licence}
        {commercial && <small>{t.options.use[commercial]}</small>}
      </td>
      <td data-column={columns.warnings}>
        <Remarks variant={variant} all={all} />
      </td>
    </tr>
  );
}

/** Why it failed, or what is to be doubted of this version alone. */
function Remarks({ variant, all }: { variant: Variant; all: Variant[] }) {
  const { t } = useSpeech();
  if (variant.error) {
    const { code, detail } = variant.error as { code?: string; detail?: string };
    return <span className="bad">{word(t.problem, code) ?? detail ?? t.problemUnknown}</span>;
  }
  if (variant.status !== "succeeded") return null; // there is no picture to doubt
  const own = ownWarnings(variant, sharedBy(all));
  if (own.length === 0) return <span className="quiet">{t.comparison.nothingOwn}</span>;
  return own.map(({ code, detail }) => (
    <p key={code} data-code={code}>
      {word(t.warning, code) ?? detail}
    </p>
  ));
}
