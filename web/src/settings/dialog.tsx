import { type FormEvent, useState } from "react";
import { get, Refused } from "../api/client";
import { dictionaries, type Language, useSpeech } from "../i18n";
import { storedKey, storeKey } from "../lib/settings";
import { Dialog } from "../ui/dialog";

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
  const [key, setKey] = useState(storedKey());
  const [wrong, setWrong] = useState(false);
  const said = t.settings;

  const save = async (event: FormEvent) => {
    event.preventDefault();
    storeKey(key);
    try {
      await get("/v1/tryons?limit=1");
    } catch (error) {
      setWrong(error instanceof Refused && error.problem.status === 401);
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
              setWrong(false);
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
