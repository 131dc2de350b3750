/** What this browser remembers, beside the try-ons that the gateway keeps. */

const KEY = "howsfit.key";
const LANGUAGE = "howsfit.language";

export const storedKey = () => read(KEY);
export const storeKey = (key: string) => write(KEY, key.trim());
export const storedLanguage = () => read(LANGUAGE);
export const storeLanguage = (language: string) => write(LANGUAGE, language);

function read(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return ""; // storage is forbidden: then nothing is remembered
  }
}

function write(name: string, value: string): void {
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // as above
  }
}
