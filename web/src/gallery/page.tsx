import { useEffect, useState } from "react";
import { api, type Tryon } from "../api/client";
import { moment, useSpeech } from "../i18n";
import { useOnline } from "../lib/online";
import { hasEnded } from "../lib/progress";
import { wornIn } from "../lib/results";
import { Dialog } from "../ui/dialog";
import { Trash } from "../ui/icons";
import { Link } from "../ui/link";
import { Picture } from "../ui/picture";
import { ProblemText } from "../ui/problem";

const PAGE = 12;
const LOOK_AGAIN_MS = 3000;

/** Earlier try-ons of this browser's key, the newest first. */
export function GalleryPage() {
  const { t } = useSpeech();
  const [tryons, setTryons] = useState<Tryon[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [doomed, setDoomed] = useState<Tryon | null>(null);
  const [said, setSaid] = useState("");

  const online = useOnline();
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when the line is back
  useEffect(() => {
    loadPage().then(({ tryons: first, next: more }) => {
      setTryons(first);
      setNext(more);
      setError(null);
    }, setError);
  }, [online]);
  const underWay = tryons
    ?.filter((tryon) => !hasEnded(tryon))
    .map(({ id }) => id)
    .join(" ");
  useEffect(() => {
    if (!underWay) return;
    const timer = setInterval(async () => {
      const newer = await Promise.all(underWay.split(" ").map((id) => api.tryon(id).catch(() => null)));
      setTryons((now) => (now ?? []).map((one) => newer.find((other) => other?.id === one.id) ?? one));
    }, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [underWay]);

  const more = async () => {
    const page = await loadPage(next);
    setTryons((now) => [...(now ?? []), ...page.tryons.filter((one) => !now?.some(({ id }) => id === one.id))]);
    setNext(page.next);
  };
  const forget = async (tryon: Tryon) => {
    setDoomed(null);
    try {
      await api.forget(tryon);
      setTryons((now) => (now ?? []).filter(({ id }) => id !== tryon.id));
      setSaid(t.gallery.removed);
    } catch (problem) {
      setError(problem);
    }
  };

  return (
    <div className="gallery">
      <header className="intro row">
        <h1>{t.gallery.heading}</h1>
        <Link href="/batches/new" className="button">
          {t.gallery.several}
        </Link>
      </header>
      <p className="unseen" role="status">
        {said}
      </p>
      {error !== null && <ProblemText error={error} />}
      {tryons?.length === 0 && (
        <div className="nothing">
          <p>{t.gallery.empty}</p>
          <Link href="/" className="button primary">
            {t.gallery.first}
          </Link>
        </div>
      )}
      <ul className="cards">
        {tryons === null && error === null && <Coming />}
        {tryons?.map((tryon) => (
          <Card key={tryon.id} tryon={tryon} onRemove={() => setDoomed(tryon)} />
        ))}
      </ul>
      {next && (
        <button type="button" className="button" onClick={() => more().catch(setError)}>
          {t.gallery.more}
        </button>
      )}
      {doomed && (
        <Dialog label={t.gallery.confirm} className="settings" onClose={() => setDoomed(null)}>
          <h2>{t.gallery.confirm}</h2>
          <p>{t.gallery.confirmText}</p>
          <div className="actions">
            <button type="button" className="button primary" onClick={() => forget(doomed)}>
              {t.gallery.remove}
            </button>
            <button type="button" className="button" onClick={() => setDoomed(null)}>
              {t.gallery.keep}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

function loadPage(address?: string | null) {
  const before = address && new URLSearchParams(address.split("?")[1]).get("before");
  return api.tryons({ limit: PAGE, kind: "tryon", ...(before ? { before } : {}) });
}

/** The room of what is being loaded, so that nothing moves when it comes. */
function Coming() {
  return Array.from({ length: 8 }, (_, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
    <li key={index} className="card" aria-hidden="true">
      <span className="picture" data-state="coming" />
      <div className="line" />
    </li>
  ));
}

function Card({ tryon, onRemove }: { tryon: Tryon; onRemove(): void }) {
  const { t, language } = useSpeech();
  const when = moment(tryon.created_at, language);
  const { status } = tryon;
  return (
    <li className="card" data-status={status}>
      <Link href={`/tryons/${tryon.id}`}>
        <span className="unseen">{t.gallery.open(when)}</span>
        <Picture path={tryon.artifacts.tryon ?? tryon.artifacts.photo} alt="" width={260} />
        {wornIn(tryon).map((path, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they stay in their order
          <Picture key={index} path={path} alt="" width={64} className="inset" />
        ))}
        {status !== "succeeded" && <span className="state">{t.tryon[status]}</span>}
      </Link>
      <div className="line">
        <span>
          {tryon.batch ? (
            <Link href={`/batches/${tryon.batch}`}>{t.gallery.partOfBatch}</Link>
          ) : tryon.comparison ? (
            <Link href={`/comparisons/${tryon.comparison}`}>{t.gallery.partOfComparison}</Link>
          ) : (
            when
          )}
        </span>
        {hasEnded(tryon) && (
          <button type="button" className="chip" aria-label={t.gallery.removeOf(when)} onClick={onRemove}>
            <Trash />
          </button>
        )}
      </div>
    </li>
  );
}
