import { api } from "../api/client";
import { endedOf, usePolled } from "../api/use-polled";
import { useText, word } from "../i18n";
import { Link } from "../ui/link";
import { Picture } from "../ui/picture";
import { ProblemText } from "../ui/problem";

/** The try-ons of a batch side by side, as they come. */
export function BatchPage({ id }: { id: string }) {
  const t = useText();
  const { document: batch, error, replace, fail } = usePolled(id, api.batch);
  const over = batch?.status === "completed";

  const ended = endedOf(batch?.tryons ?? []).length;
  return (
    <div className="gallery">
      <header className="intro row">
        <div role="status">
          <h1>{t.batch.result}</h1>
          <p>{batch ? t.batch.progress(ended, batch.tryons.length) : t.loading}</p>
        </div>
        {batch && !over && (
          <button type="button" className="button" onClick={() => api.cancelBatch(id).then(replace, fail)}>
            {t.batch.cancel}
          </button>
        )}
        {over && (
          <Link href="/batches/new" className="button primary">
            {t.gallery.several}
          </Link>
        )}
      </header>
      {error !== null && <ProblemText error={error} />}
      <ul className="cards large">
        {batch?.tryons.map((item, index) => (
          <li key={item.tryon_id} className="card" data-status={item.status}>
            <Link href={`/tryons/${item.tryon_id}`}>
              <span className="unseen">{t.batch.item(index + 1)}</span>
              <Picture path={item.tryon ?? undefined} alt="" width={320} />
              <Picture path={`${item.url}/artifacts/garment`} alt="" width={64} className="inset" />
              {item.status !== "succeeded" && <span className="state">{word(t.batch.status, item.status)}</span>}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
