import { useState } from "react";
import { api, Refused, type Tryon } from "../api/client";
import { download, fetchPicture } from "../api/pictures";
import { seconds, useSpeech, word } from "../i18n";
import { besides } from "../lib/outfits";
import { hasEnded, progressOf } from "../lib/progress";
import { asOf, doubtsOf, failedOf, madeOf, resultOf, runsOf, wholeWarnings, wornIn } from "../lib/results";
import { go } from "../lib/router";
import { type Mask, masksOf, type Painted } from "../mend/masks";
import { Mend } from "../mend/mend";
import { look } from "../studio/send";
import { NOTHING_PICKED, type Outfit } from "../studio/studio";
import { Brush, Download, Enlarge } from "../ui/icons";
import { Link } from "../ui/link";
import { Picture } from "../ui/picture";
import { ProblemText } from "../ui/problem";
import { Artifacts } from "./artifacts";
import { Compare } from "./compare";
import { Notes } from "./notes";
import { Samples } from "./samples";
import { StageGraph } from "./stage-graph";
import { Steps } from "./steps";
import { useTryon } from "./use-tryon";
import { Worn } from "./worn";
import { Zoom } from "./zoom";

interface Props {
  id: string;
  onOutfit(change: (outfit: Outfit) => Outfit): void;
}

/** One try-on: what happens, then what came out. */
export function TryonPage({ id, onOutfit }: Props) {
  const { t } = useSpeech();
  const { tryon, serving, gone, connected, error, replace } = useTryon(id);
  const [failure, setFailure] = useState<unknown>(null);
  const [whole, setWhole] = useState(false);
  const [sample, setSample] = useState(1);
  const [garment, setGarment] = useState(1);
  const [all, setAll] = useState(false);
  const [mending, setMending] = useState<Mask | null>(null);
  const [painted, setPainted] = useState<Painted>({});

  if (gone) return <Gone />;
  if (error !== null) return <ProblemText error={error} />;
  if (!tryon) return <p className="loading">{t.loading}</p>;

  const attempt = async (action: () => Promise<unknown>) => {
    setFailure(null);
    try {
      await action();
    } catch (problem) {
      setFailure(problem);
    }
  };
  const save = (path: string, name: string) => attempt(() => download(path, name));
  const again = (keep: Exclude<Action, "retry">) =>
    attempt(async () => {
      const kept = await pickedAgain(tryon, keep);
      onOutfit(() => kept);
      go("/");
    });
  const over = hasEnded(tryon);
  const failed = failedOf(tryon);
  const helps = helpful(tryon);
  const result = resultOf(tryon, sample);
  const progress = over ? undefined : progressOf(tryon);
  const [before, after] = whole && result?.tryon_photo ? ["photo", "tryon_photo"] : ["person", "tryon"];

  return (
    <div className="tryon" data-status={tryon.status}>
      <Heading tryon={tryon} />
      {!connected && !over && (
        <p className="notice" role="status">
          {t.tryon.reconnecting}
        </p>
      )}
      <div className="sides">
        <div className="show">
          <div className="frame" data-busy={!over}>
            {result ? (
              <Compare before={tryon.artifacts[before]} after={result[after]} />
            ) : progress?.preview ? (
              <Picture path={progress.preview} alt={t.steps.previewAlt} className="so-far" kept />
            ) : (
              <Picture path={tryon.artifacts.person ?? tryon.artifacts.photo} alt={t.tryon.beforeAlt} width={512} />
            )}
            {!result &&
              wornIn(tryon).map((path, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: they stay in their order
                <Picture key={index} path={path} alt={t.tryon.garmentAlt} width={96} className="inset" />
              ))}
          </div>
          {progress && <Steps told={progress} />}
          <Samples tryon={tryon} chosen={sample} onChosen={setSample} />
          <div className="view">
            {result && (
              <View
                tryon={tryon}
                result={result}
                shown={result[after]}
                whole={whole}
                onWhole={setWhole}
                onMend={setMending}
              />
            )}
          </div>
        </div>
        <div className="facts">
          {tryon.error && (
            <ProblemText
              error={new Refused(tryon.error as Refused["problem"])}
              about={failed && t.outfit.about(word(t.options.categories, failed.category) ?? failed.category)}
            />
          )}
          {failure !== null && <ProblemText error={failure} />}
          {result && <Downloads tryon={tryon} result={result} sample={sample} onSave={save} />}
          <Given tryon={tryon} />
          {tryon.comparison && (
            <p>
              <Link href={`/comparisons/${tryon.comparison}`}>{t.tryon.comparison}</Link>
            </p>
          )}
          <div className="actions">
            {!over && (
              <button
                type="button"
                className="button"
                onClick={() => attempt(async () => replace(await api.cancel(id)))}
              >
                {t.tryon.cancel}
              </button>
            )}
            {over &&
              helps.map((action, index) => (
                <button
                  key={action}
                  type="button"
                  className={`button ${index === 0 ? "primary" : ""}`}
                  onClick={() =>
                    action === "retry" ? attempt(async () => replace(await api.retry(id))) : again(action)
                  }
                >
                  {action === "retry" ? t.tryon.retry : action === "person" ? t.tryon.another : t.tryon.otherPhoto}
                </button>
              ))}
          </div>
          <Worn tryon={tryon} doubts={doubtsOf(tryon)} />
          <Notes warnings={wholeWarnings(tryon, sample)} />
          <section aria-label={t.tryon.how}>
            <h2>{t.tryon.how}</h2>
            <WhichGarment tryon={tryon} chosen={garment} onChosen={setGarment} />
            <StageGraph tryon={asOf(tryon, garment)} serving={serving} />
          </section>
          <button
            type="button"
            className="button"
            aria-expanded={all}
            aria-controls="stages"
            onClick={() => setAll(!all)}
          >
            {all ? t.tryon.hideStages : t.tryon.seeStages}
          </button>
        </div>
      </div>
      {all && <Artifacts tryon={asOf(tryon, garment)} serving={serving} onSave={save} onMend={setMending} />}
      {mending && (
        <Mend
          tryon={tryon}
          serving={serving}
          mask={mending}
          painted={painted}
          onMask={setMending}
          onPainted={setPainted}
          onClose={() => setMending(null)}
        />
      )}
    </div>
  );
}

type Action = "retry" | "person" | "garment";

/** What to do next, the most helpful first: run it again, or keep one of the pictures and choose another one beside it. */
function helpful({ status, error }: Tryon): Action[] {
  if (status === "succeeded") return ["person", "garment"];
  if (["no-person", "photo-turned", "incomplete-pose"].includes(String(error?.code))) return ["garment", "person"];
  if (error?.code === "garment-not-found") return ["person", "garment"];
  return ["retry", "person", "garment"];
}

function Heading({ tryon }: { tryon: Tryon }) {
  const { t, language } = useSpeech();
  const runs = runsOf(tryon);
  const done = runs.filter(({ status }) => status === "succeeded").length;
  const total = tryon.metrics.total_seconds;
  const { status, samples } = tryon;
  const made = madeOf(tryon);
  return (
    <div className="intro" role="status">
      <h1>{t.tryon[status]}</h1>
      <p>
        {tryon.status === "succeeded" && total !== undefined
          ? t.tryon.took(seconds(total, language))
          : made > 0
            ? t.samples.progress(made, samples.length)
            : t.tryon.progress(done, runs.length)}
      </p>
    </div>
  );
}

/**
 * The pictures of a try-on to start from again: the person's, with what of an outfit did not fail where something did, or those
 * of what was worn. Throws Refused, Unreachable.
 */
async function pickedAgain(tryon: Tryon, keep: "person" | "garment"): Promise<Outfit> {
  const pick = async (path: string | undefined) => {
    const looked = path && (await look(await fetchPicture(path)));
    return looked && typeof looked !== "string" ? looked : null;
  };
  const failed = failedOf(tryon);
  const person = keep === "person" ? await pick(tryon.artifacts.photo) : null;
  if (keep === "person" && !failed) return { ...NOTHING_PICKED, person };
  const kept = wornIn(tryon).map((path, index) => (keep === "person" && tryon.garments[index] === failed ? "" : path));
  const [garment = null, other = null] = await Promise.all(kept.map(pick));
  const [first] = tryon.garments;
  return { person, garment, second: first ? { ...besides(first.category), picture: other } : null };
}

interface WhichProps {
  tryon: Tryon;
  chosen: number;
  onChosen(garment: number): void;
}

/** Of which garment of several the stages are shown. */
function WhichGarment({ tryon, chosen, onChosen }: WhichProps) {
  const { t } = useSpeech();
  if (tryon.garments.length === 0) return null;
  return (
    <fieldset className="segments">
      <legend className="unseen">{t.outfit.which}</legend>
      {tryon.garments.map(({ garment, category }) => (
        <label key={garment}>
          <input type="radio" name="garment" checked={chosen === garment} onChange={() => onChosen(garment)} />
          <span>{word(t.options.categories, category) ?? category}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface ViewProps {
  tryon: Tryon;
  result: Record<string, string>;
  /** Address of the picture that is looked at. */
  shown: string | undefined;
  whole: boolean;
  onWhole(whole: boolean): void;
  onMend(mask: Mask): void;
}

function View({ tryon, result, shown, whole, onWhole, onMend }: ViewProps) {
  const { tryon: t, mend } = useSpeech().t;
  const [mask] = masksOf(tryon);
  const [zoomed, setZoomed] = useState(false);
  return (
    <>
      {result.tryon_photo && (
        <fieldset className="segments">
          <legend className="unseen">{t.view}</legend>
          {[false, true].map((each) => (
            <label key={String(each)}>
              <input type="radio" name="view" checked={whole === each} onChange={() => onWhole(each)} />
              <span>{each ? t.whole : t.framed}</span>
            </label>
          ))}
        </fieldset>
      )}
      <button type="button" className="button small" onClick={() => setZoomed(true)}>
        <Enlarge /> {t.zoom}
      </button>
      {mask && (
        <button type="button" className="button small" onClick={() => onMend(mask)}>
          <Brush /> {mend.open}
        </button>
      )}
      {zoomed && (
        <Zoom path={shown} preview={tryon.forget !== null} alt={t.afterAlt} onClose={() => setZoomed(false)} />
      )}
    </>
  );
}

interface DownloadsProps {
  tryon: Tryon;
  result: Record<string, string>;
  sample: number;
  onSave(path: string, name: string): void;
}

function Downloads({ tryon, result, sample, onSave }: DownloadsProps) {
  const t = useSpeech().t.tryon;
  const offers = [
    ["tryon_photo", t.downloadPhoto],
    ["tryon", t.downloadFramed],
  ] as const;
  const number = tryon.samples.length > 0 ? `-${sample}` : "";
  const generator = tryon.stages.find(({ stage }) => stage === "tryon")?.engine;
  return (
    <section className="downloads" aria-label={t.download}>
      {offers.map(([name, label]) => {
        const path = result[name];
        return (
          path && (
            <button
              key={name}
              type="button"
              className="button"
              onClick={() => onSave(path, `howsfit-${name}${number}.png`)}
            >
              <Download /> {label}
            </button>
          )
        );
      })}
      {generator && <p className="provenance">{t.composed(generator)}</p>}
    </section>
  );
}

/** What the request brought in the place of what stages would have made. */
function Given({ tryon }: { tryon: Tryon }) {
  const { t, language } = useSpeech();
  const isSaid = (name: string) => name === "category" && tryon.garments.length > 0; // with each of them
  const given = tryon.stages
    .flatMap((stage) => stage.given)
    .filter((name) => !isSaid(name))
    .map((name) => word(t.artifact, name) ?? name);
  if (given.length === 0) return null;
  return (
    <p className="notice given">
      <Brush /> {t.tryon.madeWith(new Intl.ListFormat(language).format(given))}
    </p>
  );
}

function Gone() {
  const { t } = useSpeech();
  return (
    <div className="intro">
      <h1>{t.tryon.gone}</h1>
      <Link href="/" className="button primary">
        {t.missing.home}
      </Link>
    </div>
  );
}
