/** Two garments that are worn together. Pure. */

import type { Chosen } from "./chosen";

export type Category = "upper" | "lower" | "dress";

export const CATEGORIES: readonly Category[] = ["upper", "lower", "dress"];

/** What is worn with the first garment. */
export interface Second {
  picture: Chosen | null;
  /** What the first garment is, and what this one is: one of them is a top. */
  firstIs: Category;
  secondIs: Category;
}

/** What can be worn with a garment: trousers, a skirt or a dress with a top, and a top with each of those. */
export const partnersOf = (category: Category): Category[] => (category === "upper" ? ["lower", "dress"] : ["upper"]);

/** A place for a second garment. first: what the first one was said to be, if anything was said. */
export function besides(first: string): Second {
  const firstIs = CATEGORIES.find((category) => category === first) ?? "upper";
  return { picture: null, ...pairOf(firstIs) };
}

/** With the first garment being something else; what is worn with it is then another thing, too. */
export const withFirst = (second: Second, firstIs: Category): Second => ({
  ...second,
  ...pairOf(firstIs, second.secondIs),
});

function pairOf(firstIs: Category, wished?: Category): Pick<Second, "firstIs" | "secondIs"> {
  const [usual = "upper", ...others] = partnersOf(firstIs);
  return { firstIs, secondIs: others.find((category) => category === wished) ?? usual };
}

/** The ids of the pictures by the names under which the gateway takes them. */
export const imagesOf = (photo: string, garment: string, second: Second | null, other = ""): Record<string, string> =>
  second
    ? { photo, [`garments.${second.firstIs}`]: garment, [`garments.${second.secondIs}`]: other }
    : { photo, garment };
