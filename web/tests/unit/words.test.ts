import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dictionaries, firstLanguage, word } from "../../src/i18n";

const PROTOCOL = readFileSync(new URL("../../../docs/stage-protocol.md", import.meta.url), "utf-8");
const section = (name: string) => PROTOCOL.split(`\n## ${name}\n`)[1]?.split("\n## ")[0] ?? "";
const OF_THE_GATEWAY = ["fallback"]; // a warning that no stage gives
const codes = (text: string) => text.split("\n").flatMap((line) => /^\| `([a-z-]+)`/.exec(line)?.[1] ?? []);

describe.each(Object.entries(dictionaries))("in %s", (_language, said) => {
  test("every warning has its words", () => {
    expect(codes(section("Warnings")).length).toBeGreaterThan(10);
    for (const code of [...codes(section("Warnings")), ...OF_THE_GATEWAY])
      expect(said.warning, code).toHaveProperty([code]);
  });

  test("every error that a try-on can end with has its words", () => {
    const ours = ["missing-artifact", "wrong-kind"]; // only a bug of the gateway's
    for (const code of codes(section("Errors")))
      if (!ours.includes(code)) expect(said.problem, code).toHaveProperty([code]);
  });
});

test("the languages say the same things, and each in its own words", () => {
  const saidByEngines = (at: string) => at.startsWith(".help."); // in English
  const flat = (part: unknown, at = ""): [string, string][] =>
    typeof part === "object" && part !== null
      ? Object.entries(part).flatMap(([name, inner]) => flat(inner, `${at}.${name}`))
      : [[at, String(part)]];
  const ko = new Map(flat(dictionaries.ko));
  const same = flat(dictionaries.en).filter(([name, text]) => ko.get(name) === text);
  expect(same).toEqual([]);
  expect([...ko.keys()].filter((at) => !saidByEngines(at))).toHaveLength(flat(dictionaries.en).length);
});

test("the language is the one chosen here, else the browser's, else English", () => {
  expect(firstLanguage("", ["ko-KR", "en"])).toBe("ko");
  expect(firstLanguage("en", ["ko-KR"])).toBe("en");
  expect(firstLanguage("", ["fr", "ko"])).toBe("ko");
  expect(firstLanguage("", ["fr"])).toBe("en");
});

test("a name that came later than this app has no word", () => {
  expect(word({ pose: "Pose" }, "pose")).toBe("Pose");
  expect(word({ pose: "Pose" }, "toString")).toBeUndefined();
  expect(word({ pose: "Pose" }, null)).toBeUndefined();
});
