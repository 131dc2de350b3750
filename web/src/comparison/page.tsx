import { useState } from "react";
import { api, type Comparison, isGone } from "../api/client";
import { download } from "../api/pictures";
import { endedOf, usePolled } from "../api/use-polled";
import { useSpeech, useText } from "../i18n";
import { outcomeOf, sharedBy } from "../lib/results";
import { Notes } from "../tryon/notes";
import { Zoom } from "../tryon/zoom";
import { Download, Enlarge } from "../ui/icons";
import { Link } from "../ui/link";
import { Picture } from "../ui/picture";
import { ProblemText } from "../ui/problem";
import { Versions } from "./versions";

/** One person in one garment, in several versions: their sheet, and a table of them. */
export function ComparisonPage({ id }: { id: string }) {
  const t = useText();
  const { document: comparison, error, replace, fail } = usePolled(id, api.comparison);
  const over = comparison?.status === "completed";

  if (isGone(error)) return <Gone />;
  const ended = endedOf(comparison?.variants ?? []);
  // While they are made, whatever needs no more waiting; then, what there is to see.
  const done = over ? ended.filter(({ status }) => status === "succeeded") : ended;
  return (
    <div className="gallery comparison" data-status={comparison?.status}>
      <header className="intro row">
        <div role="status">
          <h1>{t.comparison[over ? outcomeOf(comparison.variants) : "processing"]}</h1>
          <p>{comparison ? t.comparison.progress(done.length, comparison.variants.length) : t.loading}</p>
        </div>
        {comparison && !over && (
          <button type="button" className="button" onClick={() => api.cancelComparison(id).then(replace, fail)}>
            {t.comparison.cancel}
          </button>
        )}
        {over && (
          <Link href="/" className="button primary">
            {t.comparison.another}
          </Link>
        )}
      </header>
      {error !== null && <ProblemText error={error} />}
      {comparison && (
        <>
          <Sheet comparison={comparison} ended={ended.length} />
          <Versions variants={comparison.variants} />
          {over && <Notes warnings={sharedBy(comparison.variants)} heading={t.comparison.ofAll} />}
        </>
      )}
    </div>
  );
}

/** In pixels of the page, where the sheet is not enlarged. */
const SHEET_WIDTH = 1024;

/** The sheet as it stands, drawn anew whenever one more has ended. */
function Sheet({ comparison, ended }: { comparison: Comparison; ended: number }) {
  const { t, language } = useSpeech();
  const [zoomed, setZoomed] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const path = `${comparison.urls.sheet}?language=${language}`;
  const now = `${path}&ended=${ended}`;
  const save = () => {
    setError(null);
    download(path, "howsfit-comparison.png").catch(setError);
  };
  return (
    <section className="contact" aria-label={t.comparison.sheet}>
      <Picture path={now} alt={t.comparison.sheetAlt} width={SHEET_WIDTH} kept />
      <div className="actions">
        <button type="button" className="button small" onClick={() => setZoomed(true)}>
          <Enlarge /> {t.tryon.zoom}
        </button>
        <button type="button" className="button small" onClick={save}>
          <Download /> {t.comparison.save}
        </button>
      </div>
      {error !== null && <ProblemText error={error} />}
      {zoomed && <Zoom path={now} alt={t.comparison.sheetAlt} onClose={() => setZoomed(false)} />}
    </section>
  );
}

function Gone() {
  const t = useText();
  return (
    <div className="intro">
      <h1>{t.comparison.gone}</h1>
      <Link href="/" className="button primary">
        {t.missing.home}
      </Link>
    </div>
  );
}
