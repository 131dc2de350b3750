import { type DragEvent, useId, useRef, useState } from "react";
import { useText } from "../i18n";
import { ACCEPTED, type Chosen, type Complaint, doubtsOf, type Part, type Place } from "../lib/chosen";
import { Camera, Close, Garment, Person } from "../ui/icons";
import { SAMPLES } from "./samples";
import { look } from "./send";

interface Props {
  part: Part;
  /** There may be a second garment, which has its own words. */
  place?: Place;
  /** Whether there are sample pictures for it. */
  samples?: boolean;
  chosen: Chosen | null;
  onChosen(chosen: Chosen | null): void;
}

/** One of the pictures: chosen by drop, file, camera or sample; shown; and looked at, with advice in words. */
export function Picker({ part, place = part, samples = true, chosen, onChosen }: Props) {
  const t = useText();
  const said = { ...t.part[part], ...t.part[place] };
  const [complaint, setComplaint] = useState<Complaint | null>(null);
  const [over, setOver] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const advice = useId();

  const take = async (picture: Blob | null | undefined) => {
    if (!picture) return;
    const looked = await look(picture);
    setComplaint(typeof looked === "string" ? looked : null);
    if (typeof looked !== "string") onChosen(looked);
  };
  const takeFrom = (input: HTMLInputElement) => {
    take(input.files?.[0]);
    input.value = ""; // so that the same file can be chosen again
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take([...event.dataTransfer.files].find((one) => one.type.startsWith("image/")) ?? event.dataTransfer.files[0]);
  };
  const Icon = part === "person" ? Person : Garment;

  return (
    <section className="picker" aria-label={said.title} data-part={place}>
      <h2>{said.title}</h2>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is one of many ways; the button is there for all */}
      <div
        className="frame"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        {chosen ? (
          <>
            <img src={chosen.url} alt={said.alt} width={chosen.width} height={chosen.height} />
            <div className="over">
              <button type="button" className="chip" onClick={() => file.current?.click()}>
                {t.picker.change}
              </button>
              <button type="button" className="chip" aria-label={t.picker.remove} onClick={() => onChosen(null)}>
                <Close />
              </button>
            </div>
          </>
        ) : (
          <button type="button" className="empty" aria-describedby={advice} onClick={() => file.current?.click()}>
            <Icon />
            <strong>{over ? t.picker.drop : said.choose}</strong>
            <span className="for-mouse">{t.picker.hint}</span>
            <span className="for-touch">{t.picker.hintTouch}</span>
          </button>
        )}
      </div>
      <input
        ref={file}
        type="file"
        accept={ACCEPTED}
        hidden
        aria-label={said.choose}
        onChange={(e) => takeFrom(e.target)}
      />
      <input
        ref={camera}
        type="file"
        accept="image/*"
        capture={part === "person" ? "user" : "environment"}
        hidden
        aria-label={t.picker.camera}
        onChange={(e) => takeFrom(e.target)}
      />
      <div role="status" className="said">
        {complaint && <p className="notice bad">{t.complaint[complaint]}</p>}
        {!complaint &&
          chosen &&
          doubtsOf(part, chosen).map((doubt) => (
            <p key={doubt} className="notice">
              {t.doubt[doubt]}
            </p>
          ))}
      </div>
      <p className="advice" id={advice}>
        {said.advice}
      </p>
      <div className="ways">
        <button type="button" className="button small for-touch" onClick={() => camera.current?.click()}>
          <Camera /> {t.picker.camera}
        </button>
        {samples && (
          <fieldset className="samples">
            <legend>{said.samples}</legend>
            {SAMPLES[part].map(({ name, url, thumb }) => (
              <button
                key={name}
                type="button"
                className="sample"
                title={t.samplePictures[name]}
                onClick={async () => take(await (await fetch(url)).blob())}
              >
                <img src={thumb} alt={t.samplePictures[name]} width={56} height={56} />
              </button>
            ))}
          </fieldset>
        )}
      </div>
    </section>
  );
}
