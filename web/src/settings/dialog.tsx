import { type FormEvent, useState } from "react";
import { get, Refused } from "../api/client";
import { dictionaries, type Language, useSpeech } from "../i18n";
import { at } from "../lib/base";
import { storedKey, storeKey } from "../lib/settings";
import { Dialog } from "../ui/dialog";
import { ProblemText } from "../ui/problem";

interface Props {
  /** It opened because the gateway asked for a key. */
  asked: boolean;
  onClose(): void;
  /** There is another key now: what was loaded is to be loaded again. */
  onKey(): void;
}

/** The key, and the language. */
export function SettingsDialog({ asked, onClose, onKey }: Props) {
  const { t, language, speak } = useSpeech();
  const [former] = useState(storedKey);
  const [key, setKey] = useState(former);
  const [error, setError] = useState<unknown>(null);
  const wrong = error instanceof Refused && error.problem.status === 401;
  const said = t.settings;

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    storeKey(key);
    try {
      await get(at("/v1/tryons?limit=1"));
    } catch (problem) {
      storeKey(former); // a key is kept only when it opened something
      setError(problem);
      return;
    }
    onKey();
  };

  return (
    <Dialog label={said.heading} className="settings" onClose={onClose}>
      <form onSubmit={save}>
        <h2>{said.heading}</h2>
        {asked && <p className="notice">{said.keyNeeded}</p>}
        <label>
          <span>{said.key}</span>
          <input
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={key}
            aria-invalid={wrong}
            aria-describedby="key-hint"
            onChange={(event) => {
              setKey(event.target.value);
              setError(null);
            }}
          />
          <small id="key-hint" role={wrong ? "alert" : undefined}>
            {wrong ? said.keyWrong : said.keyHint}
          </small>
        </label>
        <label>
          <span>{said.language}</span>
          <select value={language} onChange={(event) => speak(event.target.value as Language)}>
            {Object.entries(dictionaries).map(([code, { language: name }]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {error !== null && !wrong && <ProblemText error={error} />}
        <div className="actions">
          <button type="submit" className="button primary">
            {said.save}
          </button>
          <button type="button" className="button" onClick={onClose}>
            {t.tryon.close}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
