import type { ReactNode } from "react";
import type { Problem } from "../api/client";
import { useText, word } from "../i18n";
import type { OptionSchema, OptionValue } from "../lib/choices";

interface OptionProps {
  id: string;
  option: [string, OptionSchema];
  value: OptionValue | undefined;
  refusal: Problem | null;
  onValue(value: OptionValue | undefined): void;
}

/** One option: what is left empty, or as it was, has the engine's default and is not sent. */
export function OptionField({ id, option: [name, schema], value, refusal, onValue }: OptionProps) {
  const t = useText();
  const label = word(t.option, name) ?? name;
  const said = word(t.help, name) ?? schema.description;
  const bounded = schema.minimum !== undefined && schema.maximum !== undefined && !schema.enum;
  const help = bounded ? `${said ?? ""} ${t.options.bounds(schema.minimum ?? 0, schema.maximum ?? 0)}` : said;
  if (schema.type === "boolean") {
    return (
      <Field id={id} help={help} refusal={refusal}>
        {(described) => (
          <label className="check">
            <input
              type="checkbox"
              {...described}
              checked={Boolean(value ?? schema.default)}
              onChange={({ target }) => onValue(target.checked)}
            />
            <span>{label}</span>
          </label>
        )}
      </Field>
    );
  }
  if (schema.enum) {
    const values = schema.enum;
    return (
      <Field id={id} label={label} help={help} refusal={refusal}>
        {(described) => (
          <select
            {...described}
            value={String(value ?? schema.default)}
            onChange={({ target }) => onValue(values[target.selectedIndex])}
          >
            {values.map((each) => (
              <option key={String(each)} value={String(each)}>
                {word(t.choice, String(each)) ?? String(each)}
                {each === schema.default && ` ${t.options.byDefault}`}
              </option>
            ))}
          </select>
        )}
      </Field>
    );
  }
  if (schema.type === "string") {
    return (
      <Field id={id} label={label} help={help} refusal={refusal}>
        {(described) => (
          <input
            type="text"
            {...described}
            placeholder={String(schema.default)}
            value={String(value ?? "")}
            onChange={({ target }) => onValue(target.value || undefined)}
          />
        )}
      </Field>
    );
  }
  return (
    <Field id={id} label={label} help={help} refusal={refusal}>
      {(described) => (
        <input
          type="number"
          {...described}
          min={schema.minimum}
          max={schema.maximum}
          step={schema.type === "integer" ? 1 : "any"}
          placeholder={String(schema.default)}
          value={value === undefined ? "" : Number(value)}
          onChange={({ target }) => onValue(target.value === "" ? undefined : target.valueAsNumber)}
        />
      )}
    </Field>
  );
}

interface FieldProps {
  id: string;
  label?: string;
  help: ReactNode;
  refusal: Problem | null;
  children(described: { id: string; "aria-describedby": string; "aria-invalid": boolean }): ReactNode;
}

/** A control with its label, its help, and what the gateway said against it. */
export function Field({ id, label, help, refusal, children }: FieldProps) {
  const t = useText();
  return (
    <div className="field">
      {label && <label htmlFor={id}>{label}</label>}
      {children({ id, "aria-describedby": `${id}-help ${id}-refusal`, "aria-invalid": refusal !== null })}
      <small id={`${id}-help`}>{help}</small>
      <small id={`${id}-refusal`} role="alert">
        {refusal && (
          <>
            {word(t.options.refused, refusal.code) ?? word(t.problem, refusal.code) ?? t.problemUnknown}{" "}
            <span lang="en">{refusal.detail}</span>
          </>
        )}
      </small>
    </div>
  );
}
