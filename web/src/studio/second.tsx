import type { Serving } from "../api/client";
import { useText, word } from "../i18n";
import { type Choices, dresses, engineOf, generatorOf, optionsOf, withOption } from "../lib/choices";
import { CATEGORIES, type Category, partnersOf, type Second, withFirst } from "../lib/outfits";

interface Props {
  second: Second;
  serving: Serving[];
  choices: Choices;
  onSecond(second: Second | null): void;
  onChoices(change: (choices: Choices) => Choices): void;
}

/** What the two garments are, and how the top is worn. */
export function Outfitting({ second, serving, choices, onSecond, onChoices }: Props) {
  const t = useText();
  const said = t.outfit;
  const undressed = [second.firstIs, second.secondIs].some((category) => !dresses(serving, { ...choices, category }));
  return (
    <section className="outfitting" aria-label={said.heading}>
      <h2>{said.heading}</h2>
      <Kind
        name="first-kind"
        legend={said.firstIs}
        kinds={CATEGORIES}
        chosen={second.firstIs}
        onChosen={(firstIs) => onSecond(withFirst(second, firstIs))}
      />
      <Kind
        name="second-kind"
        legend={said.secondIs}
        kinds={partnersOf(second.firstIs)}
        chosen={second.secondIs}
        onChosen={(secondIs) => onSecond({ ...second, secondIs })}
      />
      <Hem serving={serving} choices={choices} onChoices={onChoices} />
      <div role="alert">{undressed && <p className="notice bad">{t.problem["unsupported-category"]}</p>}</div>
      <button type="button" className="button small" onClick={() => onSecond(null)}>
        {said.drop}
      </button>
    </section>
  );
}

interface KindProps {
  name: string;
  legend: string;
  kinds: readonly Category[];
  chosen: Category;
  onChosen(category: Category): void;
}

function Kind({ name, legend, kinds, chosen, onChosen }: KindProps) {
  const { categories } = useText().options;
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div className="segments">
        {kinds.map((category) => (
          <label key={category}>
            <input type="radio" name={name} checked={chosen === category} onChange={() => onChosen(category)} />
            <span>{categories[category]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Tucked in or not, where the engine has that option: the same as under the options. */
function Hem({ serving, choices, onChoices }: Pick<Props, "serving" | "choices" | "onChoices">) {
  const t = useText();
  const generator = generatorOf(serving);
  const engine = generator && engineOf(generator, choices);
  const option = engine && optionsOf(engine).find(([name]) => name === "hem");
  const values = option?.[1].enum;
  if (!option || !values) return null;
  const chosen = choices.options[generator.stage]?.hem ?? option[1].default;
  return (
    <fieldset>
      <legend>{word(t.option, "hem")}</legend>
      <div className="segments">
        {values.map((value) => (
          <label key={String(value)}>
            <input
              type="radio"
              name="outfit-hem"
              checked={chosen === value}
              onChange={() => onChoices((now) => withOption(now, generator.stage, option, value))}
            />
            <span>{word(t.choice, String(value)) ?? String(value)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
