import { type RefObject, useEffect, useRef } from "react";
import type { EngineChoice, Problem, Serving } from "../api/client";
import { useText, word } from "../i18n";
import {
  asked,
  type Choices,
  choiceOf,
  countOf,
  dresses,
  engineOf,
  mostSamples,
  NOTHING_CHOSEN,
  optionsOf,
  placeOf,
  withEngine,
  withOption,
} from "../lib/choices";
import { Field, OptionField } from "./option-field";

const CATEGORIES = ["", "upper", "lower", "dress"];

interface Props {
  /** Whether it is of one garment, of which is asked here what it is. */
  single: boolean;
  serving: Serving[];
  choices: Choices;
  /** Why the gateway did not take what was chosen. */
  refusal: Problem | null;
  form: RefObject<HTMLFormElement | null>;
  onChoices(change: (choices: Choices) => Choices): void;
  onSubmit(): void;
}

/** What may be chosen beside the pictures, folded away: most people need none of it. */
export function Options({ single, serving, choices, refusal, form, onChoices, onSubmit }: Props) {
  const t = useText();
  const fold = useRef<HTMLDetailsElement>(null);
  const place = refusal && placeOf(refusal, choices);
  const refusalAt = (at: string) => (at === place ? refusal : null);
  const count = countOf(choices);

  const unfold = () => {
    if (fold.current) fold.current.open = true;
  };
  useEffect(() => {
    if (!place) return;
    if (fold.current) fold.current.open = true;
    document.getElementById(place)?.focus();
  }, [place]);

  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
      // A control can only say what is wrong with it while it is seen.
      onInvalid={unfold}
    >
      <details className="fold options" ref={fold}>
        <summary>
          <span>{t.options.summary}</span>
          {count > 0 && <small>{t.options.changed(count)}</small>}
        </summary>
        {single && (
          <Category
            chosen={choices.category}
            refused={!dresses(serving, choices) || refusalAt("category") !== null}
            onCategory={(category) => onChoices((now) => ({ ...now, category }))}
          />
        )}
        <Field id="commercial" help={t.options.commercialHelp} refusal={refusalAt("commercial")}>
          {(described) => (
            <label className="check">
              <input
                type="checkbox"
                {...described}
                checked={choices.commercial}
                onChange={({ target }) => onChoices((now) => ({ ...now, commercial: target.checked }))}
              />
              <span>{t.options.commercial}</span>
            </label>
          )}
        </Field>
        {asked(serving, choices).map((stage) => (
          <StageOptions
            key={stage.stage}
            stage={stage}
            choices={choices}
            most={"tryon" in stage.outputs ? mostSamples(serving, choices) : 1}
            refusalAt={refusalAt}
            onChoices={onChoices}
          />
        ))}
        {count > 0 && (
          <button type="button" className="button small" onClick={() => onChoices(() => NOTHING_CHOSEN)}>
            {t.options.reset}
          </button>
        )}
      </details>
    </form>
  );
}

interface CategoryProps {
  chosen: string;
  refused: boolean;
  onCategory(category: string): void;
}

function Category({ chosen, refused, onCategory }: CategoryProps) {
  const t = useText();
  return (
    <fieldset aria-describedby="category-help">
      <legend>{t.options.category}</legend>
      <div className="segments">
        {CATEGORIES.map((category) => (
          <label key={category}>
            <input
              type="radio"
              name="category"
              id={chosen === category ? "category" : undefined}
              checked={chosen === category}
              onChange={() => onCategory(category)}
            />
            <span>{t.options.categories[category as keyof typeof t.options.categories]}</span>
          </label>
        ))}
      </div>
      <small id="category-help">{t.options.categoryHelp}</small>
      <small role="alert">{refused && t.problem["unsupported-category"]}</small>
    </fieldset>
  );
}

interface StageProps {
  stage: Serving;
  choices: Choices;
  /** Samples that can be had of it. */
  most: number;
  refusalAt(place: string): Problem | null;
  onChoices(change: (choices: Choices) => Choices): void;
}

/** Of one stage its engine, where there is a choice, and that engine's options. */
function StageOptions({ stage, choices, most, refusalAt, onChoices }: StageProps) {
  const t = useText();
  const engine = engineOf(stage, choices);
  const choice = choiceOf(stage);
  if (!engine) return null;
  const place = `engines.${stage.stage}`;
  return (
    <fieldset>
      <legend>
        {word(t.stage, stage.stage) ?? stage.stage}
        {choice.length === 0 && <Licence engine={engine} named />}
      </legend>
      <div className="fields">
        {choice.length > 0 && (
          <Field id={place} label={t.options.engine} help={<Licence engine={engine} />} refusal={refusalAt(place)}>
            {(described) => (
              <select
                {...described}
                value={engine.engine}
                onChange={({ target }) => onChoices((now) => withEngine(now, stage, target.value))}
              >
                {choice.map((one) => (
                  <option key={one.engine} value={one.engine} disabled={!one.own && !one.health.ready}>
                    {one.engine}
                    {one.own && ` ${t.options.byDefault}`}
                    {!one.own && !one.health.ready && ` – ${t.cluster.down}`}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        {optionsOf(engine).map((option) => {
          const [name] = option;
          return (
            <OptionField
              key={`${engine.engine} ${name}`}
              id={`options.${stage.stage}.${name}`}
              option={option}
              value={choices.options[stage.stage]?.[name]}
              refusal={refusalAt(`options.${stage.stage}.${name}`)}
              onValue={(value) => onChoices((now) => withOption(now, stage.stage, option, value))}
            />
          );
        })}
        {most > 1 && (
          <SampleCount
            most={most}
            chosen={choices.samples}
            onChosen={(samples) => onChoices((now) => ({ ...now, samples }))}
          />
        )}
      </div>
    </fieldset>
  );
}

interface SampleCountProps {
  most: number;
  chosen: number;
  onChosen(samples: number): void;
}

function SampleCount({ most, chosen, onChosen }: SampleCountProps) {
  const t = useText().options;
  return (
    <fieldset className="field" aria-describedby="samples-help">
      <legend>{t.samples}</legend>
      <div className="segments">
        {Array.from({ length: most }, (_, index) => index + 1).map((count) => (
          <label key={count}>
            <input type="radio" name="samples" checked={chosen === count} onChange={() => onChosen(count)} />
            <span>{count}</span>
          </label>
        ))}
      </div>
      <small id="samples-help">{t.samplesHelp}</small>
    </fieldset>
  );
}

/** What an engine may be used for. */
export function Licence({ engine, named = false }: { engine: EngineChoice; named?: boolean }) {
  const t = useText().options;
  return (
    <span className="licence">
      {[named && engine.engine, engine.licence, t.use[engine.commercial]].filter(Boolean).join(" · ")}
    </span>
  );
}
