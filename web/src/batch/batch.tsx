import { useEffect, useState } from "react";
import { api, type Batch, isFinal } from "../api/client";
import { useText, word } from "../i18n";
import { Link } from "../ui/link";
import { Picture } from "../ui/picture";
import { ProblemText } from "../ui/problem";

const LOOK_AGAIN_MS = 1500;

/** The try-ons of a batch side by side, as they come. */
export function BatchPage({ id }: { id: string }) {
  const t = useText();
  const [batch, setBatch] = useState<Batch | null>(null);
  const [error, setError] = useState<unknown>(null);
  const over = batch?.status === "completed";

  useEffect(() => {
    if (over) return;
    const look = async () => {
      try {
        setBatch(await api.batch(id));
        setError(null);
      } catch (problem) {
        setError(problem);
        if (isFinal(problem)) clearInterval(timer);
      }
    };
    const timer = setInterval(look, LOOK_AGAIN_MS);
    look();
    return () => clearInterval(timer);
  }, [id, over]);

  const ended = batch?.tryons.filter(({ status }) => !["queued", "processing"].includes(status)).length ?? 0;
  return (
    <div className="gallery">
      <header className="intro row">
        <div role="status">
          <h1>{t.batch.result}</h1>
          <p>{batch ? t.batch.progress(ended, batch.tryons.length) : t.loading}</p>
        </div>
        {batch && !over && (
          <button type="button" className="button" onClick={() => api.cancelBatch(id).then(setBatch, setError)}>
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
