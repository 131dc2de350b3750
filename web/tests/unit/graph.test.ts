import { describe, expect, test } from "vitest";
import { draw } from "../../src/lib/graph";

const STAGES = [
  { stage: "resize", needs: [] },
  { stage: "cloth_mask", needs: [] },
  { stage: "pose", needs: ["resize"] },
  { stage: "densepose", needs: ["pose", "resize"] },
  { stage: "human_parse", needs: ["pose", "resize"] },
  { stage: "agnostic", needs: ["human_parse", "pose", "resize"] },
  { stage: "tryon", needs: ["agnostic", "cloth_mask", "densepose", "human_parse", "pose", "resize"] },
  { stage: "paste_back", needs: ["resize", "tryon"] },
];

describe("the drawing of the stage graph", () => {
  const drawing = draw(STAGES);
  const row = Object.fromEntries(drawing.places.map((place) => [place.stage, place.row]));

  test("puts every stage below all that it waits for", () => {
    for (const { stage, needs } of STAGES)
      for (const need of needs) expect(row[need], need).toBeLessThan(row[stage] ?? 0);
  });

  test("puts no two stages in one place", () => {
    const places = drawing.places.map(({ row: y, x }) => `${y} ${x}`);
    expect(new Set(places).size).toBe(STAGES.length);
    expect(drawing.places.every(({ x }) => x > 0 && x < 1)).toBe(true);
  });

  test("draws a line only where no other path says the same", () => {
    const lines = drawing.lines.map(({ from, to }) => `${from} ${to}`);
    expect(lines).toContain("resize pose");
    expect(lines).toContain("human_parse agnostic");
    expect(lines).not.toContain("resize human_parse");
    expect(lines).not.toContain("pose tryon");
  });

  test("leads long lines through every row between, beside the stages there", () => {
    for (const { points, from, to } of drawing.lines) {
      expect(points).toHaveLength((row[to] ?? 0) - (row[from] ?? 0) + 1);
      for (const { x, y } of points.slice(1, -1)) {
        expect(drawing.places.some((place) => place.row === y && place.x === x)).toBe(false);
      }
    }
  });

  test("stands a side line as early, and a garment's as late, as it can", () => {
    expect(row.cloth_mask).toBe((row.tryon ?? 0) - 1);
    const withSink = draw([...STAGES, { stage: "extra", needs: ["resize"] }]);
    expect(withSink.places.find(({ stage }) => stage === "extra")?.row).toBe(1);
  });

  test("is empty without stages, and forgives a need that is not there", () => {
    expect(draw([])).toMatchObject({ rows: 0, places: [], lines: [] });
    expect(draw([{ stage: "tryon", needs: ["moon"] }]).rows).toBe(1);
  });
});
