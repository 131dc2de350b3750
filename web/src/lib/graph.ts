/** A layered drawing of the stage graph: every stage in a row below all that it waits for. Pure. */

export interface Node {
  stage: string;
  needs: string[];
}

export interface Place {
  stage: string;
  row: number;
  /** 0 to 1, of the middle. */
  x: number;
}

export interface Line {
  from: string;
  to: string;
  /** The points it goes through; y is a row. */
  points: { x: number; y: number }[];
}

export interface Drawing {
  rows: number;
  /** Most stages side by side. */
  columns: number;
  places: Place[];
  lines: Line[];
}

type Slot = { key: string; above: string[] };

export function draw(nodes: Node[]): Drawing {
  const known = new Map(
    nodes.map((node) => [node.stage, node.needs.filter((need) => nodes.some((n) => n.stage === need))]),
  );
  const direct = new Map(
    [...known].map(([stage, needs]) => [stage, needs.filter((need) => !isReached(known, needs, need))]),
  );
  const row = rowsOf(nodes, direct);
  const count = Math.max(...row.values(), -1) + 1;
  const layers: Slot[][] = Array.from({ length: count }, () => []);
  const paths = new Map<string, string[]>();
  for (const { stage } of nodes) {
    const above: string[] = [];
    for (const need of direct.get(stage) ?? []) {
      const path = [need];
      // A line that passes rows by takes a slot in each, so that it runs beside what is there.
      for (let between = at(row, need) + 1; between < at(row, stage); between++) {
        const key = `${need}>${stage}@${between}`;
        layers[between]?.push({ key, above: [path.at(-1) as string] });
        path.push(key);
      }
      above.push(path.at(-1) as string);
      paths.set(`${need}>${stage}`, [...path, stage]);
    }
    layers[at(row, stage)]?.push({ key: stage, above });
  }
  const x = columnsOf(layers);
  const level = new Map(layers.flatMap((layer, y) => layer.map(({ key }) => [key, y] as const)));
  const lines = [...paths].map(([name, path]) => {
    const [from = "", to = ""] = name.split(">");
    return { from, to, points: path.map((key) => ({ x: at(x, key), y: at(level, key) })) };
  });
  const places = nodes.map(({ stage }) => ({ stage, row: at(row, stage), x: at(x, stage) }));
  return { rows: count, columns: Math.max(1, ...layers.map((layer) => layer.length)), places, lines };
}

function at(numbers: Map<string, number>, key: string): number {
  return numbers.get(key) ?? 0;
}

/** Whether `need` is also waited for by another of the needs: then its line says nothing new. */
function isReached(known: Map<string, string[]>, needs: string[], need: string): boolean {
  const behind = (stage: string): boolean => (known.get(stage) ?? []).some((one) => one === need || behind(one));
  return needs.some((other) => other !== need && behind(other));
}

/** As late as possible, so that lines are short: a stage stands just above the first that waits for it, if any does. */
function rowsOf(nodes: Node[], direct: Map<string, string[]>): Map<string, number> {
  const depth = new Map<string, number>();
  for (const { stage } of nodes)
    depth.set(stage, Math.max(-1, ...(direct.get(stage) ?? []).map((need) => at(depth, need))) + 1);
  const row = new Map<string, number>();
  for (const { stage } of [...nodes].reverse()) {
    const after = nodes.filter((node) => direct.get(node.stage)?.includes(stage)).map((node) => at(row, node.stage));
    row.set(stage, after.length ? Math.min(...after) - 1 : at(depth, stage));
  }
  return row;
}

/** Each slot below the middle of what is above it, without any two in one place. */
function columnsOf(layers: Slot[][]): Map<string, number> {
  const x = new Map<string, number>();
  for (const layer of layers) {
    const wanted = layer.map((slot, index) => {
      const above = slot.above.map((key) => at(x, key));
      return { key: slot.key, at: above.length ? above.reduce((a, b) => a + b) / above.length : 1 + index };
    });
    wanted.sort((a, b) => a.at - b.at);
    wanted.forEach(({ key }, index) => {
      x.set(key, (index + 0.5) / wanted.length);
    });
  }
  return x;
}
