import { type ReactNode, useId } from "react";
import type { Serving } from "../api/client";
import { useText, word } from "../i18n";
import { type Choices, choiceOf, generatorOf, MOST_SAMPLES, type OptionValue, seedsOf } from "../lib/choices";
import {
  type Compared,
  comparableOf,
  enginesOf,
  MOST_VERSIONS,
  NOTHING_COMPARED,
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
  const seeds = Math.min(MOST_SAMPLES, Math.max(1, ...engines.map((engine) => seedsOf(engine).count)));
  const count = versionsOf(compared, serving, choices).length;
  if (choice.length === 0 && options.length === 0 && seeds === 1) return null;
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
