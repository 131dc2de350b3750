import { type ReactNode, useId } from "react";
import type { Serving } from "../api/client";
import { useText, word } from "../i18n";
import {
  type Choices,
  choiceOf,
  generatorOf,
  MOST_SAMPLES,
  type OptionSchema,
  type OptionValue,
  seedsOf,
} from "../lib/choices";
import {
  type Compared,
  comparableOf,
  enginesOf,
  isMistyped,
  MOST_VERSIONS,
  NOTHING_COMPARED,
  numericOf,
  toggled,
  versionsOf,
} from "../lib/compared";
import { valueIn } from "../lib/wording";
import { Licence } from "./options";

interface Props {
  serving: Serving[];
  choices: Choices;
  compared: Compared;
  onCompared(change: (compared: Compared) => Compared): void;
}

/** What to see side by side, folded away as the options are; not there where nothing can differ. */
export function Comparing({ serving, choices, compared, onCompared }: Props) {
  const t = useText();
  const generator = generatorOf(serving);
  const choice = generator ? choiceOf(generator) : [];
  const engines = enginesOf(compared, serving, choices);
  const options = comparableOf(engines);
  const numbers = numericOf(engines);
  const seeds = Math.min(MOST_SAMPLES, Math.max(1, ...engines.map((engine) => seedsOf(engine).count)));
  const count = versionsOf(compared, serving, choices).length;
  if (choice.length === 0 && options.length === 0 && numbers.length === 0 && seeds === 1) return null;
  return (
    <details className="fold">
      <summary>
        <span>{t.comparing.summary}</span>
        {count > 1 && <small>{t.comparing.versions(count)}</small>}
      </summary>
      <p className="quiet">{t.comparing.about}</p>
      {choice.length > 0 && (
        <Checks
          legend={t.comparing.engines}
          offers={choice.map((engine) => ({
            key: engine.engine,
            label: engine.engine,
            more: !engine.own && !engine.health.ready ? t.cluster.down : <Licence engine={engine} />,
            checked: compared.engines.includes(engine.engine),
            disabled: !engine.own && !engine.health.ready,
            onToggle: () => onCompared((now) => ({ ...now, engines: toggled(now.engines, engine.engine) })),
          }))}
        />
      )}
      {options.map(([name, schema, values]) => (
        <Checks
          key={name}
          legend={word(t.option, name) ?? name}
          help={word(t.help, name) ?? schema.description}
          offers={values.map((value) => ({
            key: String(value),
            label: valueIn(t, value),
            checked: (compared.values[name] ?? []).includes(value),
            onToggle: () => onCompared((now) => withValue(now, name, value)),
          }))}
        />
      ))}
      {numbers.map((option) => (
        <Numbers
          key={option[0]}
          option={option}
          text={compared.typed[option[0]] ?? ""}
          wrong={isMistyped(compared, engines, option[0])}
          onText={(text) => onCompared((now) => ({ ...now, typed: { ...now.typed, [option[0]]: text } }))}
        />
      ))}
      {seeds > 1 && (
        <fieldset>
          <legend>{t.comparing.seeds}</legend>
          <div className="segments">
            {Array.from({ length: seeds }, (_, index) => index + 1).map((each) => (
              <label key={each}>
                <input
                  type="radio"
                  name="compared-seeds"
                  checked={Math.min(compared.seeds, seeds) === each}
                  onChange={() => onCompared((now) => ({ ...now, seeds: each }))}
                />
                <span>{each}</span>
              </label>
            ))}
          </div>
          <small>{t.comparing.seedsHelp}</small>
        </fieldset>
      )}
      <div role="status">
        {count > MOST_VERSIONS ? (
          <p className="notice bad">{t.comparing.tooMany(count, MOST_VERSIONS)}</p>
        ) : (
          <p className="quiet">{count > 1 ? t.comparing.ready(count) : t.comparing.none}</p>
        )}
        {count > 1 && choices.samples > 1 && <p className="quiet">{t.comparing.noSamples}</p>}
      </div>
      {compared !== NOTHING_COMPARED && (
        <button type="button" className="button small" onClick={() => onCompared(() => NOTHING_COMPARED)}>
          {t.comparing.clear}
        </button>
      )}
    </details>
  );
}

const withValue = (compared: Compared, name: string, value: OptionValue): Compared => ({
  ...compared,
  values: { ...compared.values, [name]: toggled(compared.values[name] ?? [], value) },
});

interface Offer {
  key: string;
  label: string;
  more?: ReactNode;
  checked: boolean;
  disabled?: boolean;
  onToggle(): void;
}

/** Things of which several may be ticked. */
function Checks({ legend, help, offers }: { legend: string; help?: string | undefined; offers: Offer[] }) {
  const described = useId();
  return (
    <fieldset aria-describedby={described}>
      <legend>{legend}</legend>
      <div className="checks">
        {offers.map(({ key, label, more, checked, disabled, onToggle }) => (
          <label key={key} className="check">
            <input type="checkbox" checked={checked} disabled={disabled} onChange={onToggle} />
            <span>
              {label} {more && <small>{more}</small>}
            </span>
          </label>
        ))}
      </div>
      <small id={described}>{help}</small>
    </fieldset>
  );
}

interface NumbersProps {
  option: [string, OptionSchema];
  text: string;
  wrong: boolean;
  onText(text: string): void;
}

/** Numbers of one option, as they are typed. */
function Numbers({ option: [name, schema], text, wrong, onText }: NumbersProps) {
  const t = useText();
  const id = useId();
  const { minimum, maximum } = schema;
  const bounds = minimum !== undefined && maximum !== undefined ? t.options.bounds(minimum, maximum) : "";
  return (
    <div className="field">
      <label htmlFor={id}>{word(t.option, name) ?? name}</label>
      <input
        type="text"
        inputMode="decimal"
        id={id}
        aria-describedby={`${id}-help ${id}-wrong`}
        aria-invalid={wrong}
        placeholder={String(schema.default)}
        value={text}
        onChange={({ target }) => onText(target.value)}
      />
      <small id={`${id}-help`}>
        {[word(t.help, name) ?? schema.description, t.comparing.numbers, bounds].filter(Boolean).join(" ")}
      </small>
      <small id={`${id}-wrong`} role="alert">
        {wrong && t.comparing.wrongNumbers}
      </small>
    </div>
  );
}
