import { useState } from "react";
import { api } from "../api/client";
import { useText } from "../i18n";
import { ACCEPTED, type Chosen, type Complaint } from "../lib/chosen";
import { go } from "../lib/router";
import { usePaste } from "../studio/paste";
import { Picker } from "../studio/picker";
import { SAMPLES } from "../studio/samples";
import { look, startWith } from "../studio/send";
import { Close } from "../ui/icons";
import { ProblemText } from "../ui/problem";

/** One person, several garments. */
export function NewBatch({ person: first }: { person: Chosen | null }) {
  const t = useText();
  const [person, setPerson] = useState(first);
  const [garments, setGarments] = useState<Chosen[]>([]);
  const [complaint, setComplaint] = useState<Complaint | null>(null);
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const add = async (files: Iterable<Blob>) => {
    setComplaint(null);
    for (const file of files) {
      const looked = await look(file);
      if (typeof looked === "string") setComplaint(looked);
      else setGarments((now) => [...now, looked]);
    }
  };
  usePaste(async (pictures, focused) => {
    if ((focused ?? (person ? "garment" : "person")) === "garment") return add(pictures);
    const looked = pictures[0] && (await look(pictures[0]));
    if (looked && typeof looked !== "string") setPerson(looked);
  });
  const start = async () => {
    if (!person) return;
    setSending(true);
    setError(null);
    try {
      // The same picture twice is the same id, and one try-on is enough.
      const batch = await startWith([person, ...garments], ([photo = "", ...pieces]) =>
        api.startBatch([photo], [...new Set(pieces)]),
      );
      go(`/batches/${batch.id}`);
    } catch (problem) {
      setError(problem);
      setSending(false);
    }
  };

  return (
    <div className="studio">
      <header className="intro">
        <h1>{t.batch.heading}</h1>
        <p>{t.batch.lead}</p>
      </header>
      <div className="pickers">
        <Picker part="person" chosen={person} onChosen={setPerson} />
        <section className="picker" aria-label={t.batch.garments(garments.length)} data-part="garment">
          <h2>{t.batch.garments(garments.length)}</h2>
          {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is one of several ways */}
          <div
            className="rack"
            onDragOver={(event) => event.preventDefault()}
            onDrop={(event) => {
              event.preventDefault();
              add([...event.dataTransfer.files]);
            }}
          >
            {garments.map((garment, index) => (
              <figure key={garment.url}>
                <img src={garment.url} alt={t.batch.item(index + 1)} />
                <button
                  type="button"
                  className="chip"
                  aria-label={`${t.picker.remove}: ${t.batch.item(index + 1)}`}
                  onClick={() => setGarments((now) => now.filter((one) => one !== garment))}
                >
                  <Close />
                </button>
              </figure>
            ))}
            <label className="add">
              <input
                type="file"
                accept={ACCEPTED}
                multiple
                className="unseen"
                onChange={async ({ target }) => {
                  const files = [...(target.files ?? [])];
                  target.value = "";
                  await add(files);
                }}
              />
              <strong>{t.batch.add}</strong>
              <span className="for-mouse">{t.picker.hint}</span>
              <span className="for-touch">{t.picker.hintTouch}</span>
            </label>
          </div>
          {complaint && (
            <p className="notice bad" role="alert">
              {t.complaint[complaint]}
            </p>
          )}
          <p className="advice">{t.part.garment.advice}</p>
          <div className="ways">
            <fieldset className="samples">
              <legend>{t.part.garment.samples}</legend>
              {SAMPLES.garment.map(({ name, url, thumb }) => (
                <button
                  key={name}
                  type="button"
                  className="sample"
                  onClick={async () => add([await (await fetch(url)).blob()])}
                >
                  <img src={thumb} alt={t.samplePictures[name]} width={56} height={56} />
                </button>
              ))}
            </fieldset>
          </div>
        </section>
      </div>
      {error !== null && <ProblemText error={error} />}
      <div className="start">
        <button
          type="button"
          className="button primary large"
          disabled={!person || garments.length === 0 || sending}
          onClick={start}
        >
          {sending ? t.studio.starting : t.batch.start(garments.length)}
        </button>
      </div>
    </div>
  );
}
