import { useEffect, useRef, useState } from "react";
import { api, Refused } from "../api/client";
import { useText } from "../i18n";
import { type Choices, placeOf, standing, wishesOf } from "../lib/choices";
import type { Chosen, Part, Place } from "../lib/chosen";
import {
  type Compared,
  enginesOf,
  isMistyped,
  MOST_VERSIONS,
  numericOf,
  sharedOf,
  variantOf,
  versionsOf,
} from "../lib/compared";
import { besides, imagesOf, type Second } from "../lib/outfits";
import { go } from "../lib/router";
import { takeShared } from "../lib/share";
import { labelOf } from "../lib/wording";
import { Plus } from "../ui/icons";
import { ProblemText } from "../ui/problem";
import { Comparing } from "./comparing";
import { ServiceNotReady } from "./not-ready";
import { Options } from "./options";
import { usePaste } from "./paste";
import { Picker } from "./picker";
import { Outfitting } from "./second";
import { look, startWith } from "./send";
import { useServing } from "./use-serving";

export type Outfit = Record<Part, Chosen | null> & { second: Second | null };

export const NOTHING_PICKED: Outfit = { person: null, garment: null, second: null };

export interface StudioProps {
  outfit: Outfit;
  choices: Choices;
  compared: Compared;
  onOutfit(change: (outfit: Outfit) => Outfit): void;
  onChoices(change: (choices: Choices) => Choices): void;
  onCompared(change: (compared: Compared) => Compared): void;
}

/** Where a try-on starts: two pictures and a button. */
export function Studio({ outfit, choices: chosen, compared, onOutfit, onChoices, onCompared }: StudioProps) {
  const t = useText();
  const serving = useServing();
  const { second } = outfit;
  const choices = standing(second ? { ...chosen, category: "" } : chosen, serving);
  const versions = versionsOf(compared, serving, choices);
  const engines = enginesOf(compared, serving, choices);
  const comparable =
    versions.length <= MOST_VERSIONS && !numericOf(engines).some(([name]) => isMistyped(compared, engines, name));
  const form = useRef<HTMLFormElement>(null);
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [shared, setShared] = useState<"shared" | "sharedMissed" | null>(null);

  useEffect(() => {
    const put = (part: Part, chosen: Chosen) => onOutfit((now) => ({ ...now, [part]: chosen }));
    takeShared().then(async (picture) => {
      if (picture === null) return;
      const looked = picture === "missed" ? picture : await look(picture);
      if (typeof looked === "string") return setShared("sharedMissed");
      put("garment", looked);
      setShared("shared");
    });
  }, [onOutfit]);
  usePaste(async ([picture], focused) => {
    const looked = picture && (await look(picture));
    if (!looked || typeof looked === "string") return;
    onOutfit((now) => withPicture(now, focused ?? emptyIn(now), looked));
  });

  useFocusOnSecond(second !== null);

  const start = async () => {
    const { person, garment } = outfit;
    if (!person || !garment || (second && !second.picture) || !comparable || !form.current?.reportValidity()) return;
    setSending(true);
    setError(null);
    try {
      go(
        await startWith(
          [person, garment, ...(second?.picture ? [second.picture] : [])],
          async ([photo = "", piece = "", other]) => {
            const images = imagesOf(photo, piece, second, other);
            return versions.length > 1
              ? `/comparisons/${(await compare(images)).id}`
              : `/tryons/${(await api.start(images, wishesOf(choices))).id}`;
          },
        ),
      );
    } catch (problem) {
      setError(problem);
      setSending(false);
    }
  };
  const compare = (images: Record<string, string>) => {
    const several = new Set(versions.map(({ engine }) => engine)).size > 1;
    const variants = versions.map((version) => variantOf(version, labelOf(t, version, several), serving, choices));
    return api.compare(images, variants, wishesOf(sharedOf(serving, choices)));
  };
  const place = serving.length > 0 && error instanceof Refused ? placeOf(error.problem, choices) : null;
  const refusal = error instanceof Refused && place && !(second && place === "category") ? error.problem : null;
  const ready = outfit.person !== null && outfit.garment !== null && second?.picture !== null;
  const changeChoices = (change: (choices: Choices) => Choices) => {
    setError(null);
    onChoices(change);
  };

  return (
    <div className="studio">
      <header className="intro">
        <h1>{t.studio.heading}</h1>
        <p>{t.studio.lead}</p>
      </header>
      {shared && (
        <p className={`notice ${shared === "shared" ? "good" : "bad"}`} role="status">
          {t.studio[shared]}
        </p>
      )}
      <ServiceNotReady serving={serving} />
      <div className="pickers">
        {(["person", "garment"] as const).map((part) => (
          <Picker
            key={part}
            part={part}
            chosen={outfit[part]}
            onChosen={(chosen) => onOutfit((now) => withPicture(now, part, chosen))}
          />
        ))}
        {second && (
          <Picker
            part="garment"
            place="second"
            samples={second.secondIs === "upper"}
            chosen={second.picture}
            onChosen={(chosen) => onOutfit((now) => withPicture(now, "second", chosen))}
          />
        )}
      </div>
      {second ? (
        <Outfitting
          second={second}
          serving={serving}
          choices={choices}
          onSecond={(changed) => {
            setError(null);
            onOutfit((now) => ({ ...now, second: changed }));
          }}
          onChoices={changeChoices}
        />
      ) : (
        <button
          type="button"
          className="button small add-second"
          onClick={() => onOutfit((now) => ({ ...now, second: besides(chosen.category) }))}
        >
          <Plus /> {t.outfit.add}
        </button>
      )}
      <Options
        single={second === null}
        serving={serving}
        choices={choices}
        refusal={refusal}
        form={form}
        onSubmit={start}
        onChoices={changeChoices}
      />
      <Comparing
        serving={serving}
        choices={choices}
        compared={compared}
        onCompared={(change) => {
          setError(null);
          onCompared(change);
        }}
      />
      {error !== null && !refusal && <ProblemText error={error} />}
      <div className="start">
        <button
          type="button"
          className="button primary large"
          disabled={!ready || sending || !comparable}
          onClick={start}
        >
          {sending ? t.studio.starting : versions.length > 1 ? t.comparing.start(versions.length) : t.studio.start}
        </button>
      </div>
      <p className="quiet after" aria-live="polite">
        {ready ? t.studio.privacy : second ? t.outfit.needAll : t.studio.needBoth}
      </p>
    </div>
  );
}

/** The button that adds or drops a second garment goes with that: whoever pressed it finds the focus where it continues. */
function useFocusOnSecond(there: boolean): void {
  const before = useRef(there);
  useEffect(() => {
    if (before.current !== there)
      document.querySelector<HTMLElement>(there ? '[data-part="second"] .empty' : ".add-second")?.focus();
    before.current = there;
  }, [there]);
}

/** With a picture at a place; without one there, null. */
function withPicture(outfit: Outfit, place: Place, picture: Chosen | null): Outfit {
  if (place !== "second") return { ...outfit, [place]: picture };
  return outfit.second ? { ...outfit, second: { ...outfit.second, picture } } : outfit;
}

/** Where the next picture goes: you first, then what you wear. */
function emptyIn({ person, garment, second }: Outfit): Place {
  if (!person) return "person";
  return garment && second ? "second" : "garment";
}
