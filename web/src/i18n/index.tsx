import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { storedLanguage, storeLanguage } from "../lib/settings";
import { en } from "./en";
import { ko } from "./ko";

/** What every language says; one that leaves something out fails the type check. */
export type Dictionary = typeof en;

export const dictionaries = { en, ko };
export type Language = keyof typeof dictionaries;

/** The language that was chosen here, else the first of the browser's that we have, else English. */
export function firstLanguage(stored: string, wished: readonly string[]): Language {
  for (const tag of [stored, ...wished]) {
    const language = tag.slice(0, 2).toLowerCase();
    if (language in dictionaries) return language as Language;
  }
  return "en";
}

interface Speech {
  t: Dictionary;
  language: Language;
  speak(language: Language): void;
}

const Context = createContext<Speech>({ t: en, language: "en", speak: () => undefined });

export function Languages({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(() => firstLanguage(storedLanguage(), navigator.languages));
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speech = useMemo(() => {
    const speak = (next: Language) => {
      storeLanguage(next);
      setLanguage(next);
    };
    return { t: dictionaries[language], language, speak };
  }, [language]);
  return <Context value={speech}>{children}</Context>;
}

export const useSpeech = () => useContext(Context);
export const useText = () => useContext(Context).t;

/** Seconds as people read them. */
export function seconds(value: number, language: Language): string {
  const unit = { style: "unit", unit: "second", unitDisplay: "narrow" } as const;
  return new Intl.NumberFormat(language, { ...unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

/** How long it is going to take, as people say it: whole seconds, then minutes, then hours. */
export function duration(value: number, language: Language): string {
  const [unit, length] =
    value < 90 ? (["second", 1] as const) : value < 5400 ? (["minute", 60] as const) : (["hour", 3600] as const);
  const form = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: unit === "hour" ? 1 : 0 } as const;
  return new Intl.NumberFormat(language, form).format(Math.max(1, value / length));
}

/** A moment as people read it. */
export function moment(iso: string, language: Language): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** The word for a name that the gateway uses; undefined for names that came later than this app. */
export function word(words: Record<string, string>, name: string | null | undefined): string | undefined {
  return name && Object.hasOwn(words, name) ? words[name] : undefined;
}
