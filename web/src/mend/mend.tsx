import { useState } from "react";
import type { Serving, Tryon } from "../api/client";
import { save } from "../api/pictures";
import { useText } from "../i18n";
import { go } from "../lib/router";
import type { Brush, Stroke } from "../lib/strokes";
import { Dialog } from "../ui/dialog";
import { Close, Download, Undo } from "../ui/icons";
import { ProblemText } from "../ui/problem";
import { Easel } from "./easel";
import { MASKS, type Mask, masksOf, type Painted, paintedMask, startAgain } from "./masks";

const SIZES = { least: 8, first: 48, most: 200 };

interface Props {
  tryon: Tryon;
  serving: Serving[];
  mask: Mask;
  painted: Painted;
  onMask(mask: Mask): void;
  /** What is painted is kept while the dialog is closed. */
  onPainted(change: (painted: Painted) => Painted): void;
  onClose(): void;
}

/** The masks of a try-on, to paint over, to keep, and to send in the place of those that were found. */
export function Mend({ tryon, serving, mask, painted, onMask, onPainted, onClose }: Props) {
  const t = useText();
  const said = t.mend;
  const [brush, setBrush] = useState<Brush>({ erase: false, size: SIZES.first });
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const strokes = painted[mask] ?? NONE;
  const path = tryon.artifacts[mask] ?? "";
  // Of engines that were chosen it is not known here what they take.
  const used = serving.some(({ inputs }) => mask in inputs) || Object.keys(tryon.engines).length > 0;

  const change = (next: Stroke[]) =>
    onPainted(({ [mask]: _, ...others }) => (next.length > 0 ? { ...others, [mask]: next } : others));
  const undo = () => change(strokes.slice(0, -1));
  const attempt = async (action: () => Promise<unknown>) => {
    setError(null);
    await action().catch(setError);
  };
  const send = async () => {
    setSending(true);
    await attempt(async () => go(`/tryons/${(await startAgain(tryon, painted)).id}`));
    setSending(false);
  };

  return (
    <Dialog label={said.heading} className="mend" onClose={onClose}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a shortcut; there is a button, too */}
      <div
        className="bench"
        onKeyDown={(event) => {
          if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
          event.preventDefault();
          undo();
        }}
      >
        <header>
          <h2>{said.heading}</h2>
          <button type="button" className="chip" aria-label={t.tryon.close} onClick={onClose}>
            <Close />
          </button>
        </header>
        <Easel
          key={mask}
          mask={path}
          picture={tryon.artifacts[MASKS[mask]] ?? ""}
          label={`${said.easel}: ${said.masks[mask]}`}
          brush={brush}
          strokes={strokes}
          onStroke={(stroke) => change([...strokes, stroke])}
          onError={setError}
        />
        <div className="brushes">
          {masksOf(tryon).length > 1 && (
            <Segments
              name="mask"
              legend={said.which}
              choices={masksOf(tryon).map((one) => [one, said.masks[one]])}
              chosen={mask}
              onChosen={onMask}
            />
          )}
          <p className="quiet">
            {said.about[mask]} {!used && said.unused}
          </p>
          <div className="brush">
            <Segments
              name="brush"
              legend={said.brush}
              choices={[
                ["add", said.add],
                ["erase", said.erase],
              ]}
              chosen={brush.erase ? "erase" : "add"}
              onChosen={(mode) => setBrush({ ...brush, erase: mode === "erase" })}
            />
            <button type="button" className="button small" disabled={strokes.length === 0} onClick={undo}>
              <Undo /> {said.undo}
            </button>
          </div>
          <label className="size">
            <span>{said.size}</span>
            <input
              type="range"
              min={SIZES.least}
              max={SIZES.most}
              step={4}
              value={brush.size}
              onChange={({ target }) => setBrush({ ...brush, size: target.valueAsNumber })}
            />
          </label>
          {error !== null && <ProblemText error={error} />}
          <div className="actions">
            <button
              type="button"
              className="button primary"
              disabled={sending || Object.keys(painted).length === 0}
              onClick={send}
            >
              {sending ? said.sending : said.send}
            </button>
            <button
              type="button"
              className="button"
              onClick={() => attempt(async () => save(await paintedMask(path, strokes), `${mask}.png`))}
            >
              <Download /> {t.tryon.download}
            </button>
          </div>
        </div>
      </div>
    </Dialog>
  );
}

const NONE: Stroke[] = [];

interface SegmentsProps<T extends string> {
  name: string;
  legend: string;
  choices: [T, string][];
  chosen: T;
  onChosen(choice: T): void;
}

function Segments<T extends string>({ name, legend, choices, chosen, onChosen }: SegmentsProps<T>) {
  return (
    <fieldset className="segments">
      <legend className="unseen">{legend}</legend>
      {choices.map(([choice, label]) => (
        <label key={choice}>
          <input type="radio" name={name} checked={chosen === choice} onChange={() => onChosen(choice)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
