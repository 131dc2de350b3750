import type { Serving, StageRun, Tryon } from "../api/client";
import { DOCUMENTS } from "../api/kinds";
import { seconds, useSpeech, word } from "../i18n";
import { draw } from "../lib/graph";
import { Brush, Done, Reused } from "../ui/icons";
import { Picture } from "../ui/picture";

interface Props {
  tryon: Tryon;
  serving: Serving[];
}

const ROW = 84; // pixels, with the gap below
const CARD = 60;
const USUAL_ROWS = 5; // the room that is kept until the graph is known

/** Every stage in its place, with what it waits for, how it goes, and what it made. */
export function StageGraph({ tryon, serving }: Props) {
  const runs = new Map(tryon.stages.map((run) => [run.stage, run]));
  const known = serving.filter(({ stage }) => runs.has(stage));
  const drawing = draw(known);
  const height = (drawing.rows || USUAL_ROWS) * ROW - (ROW - CARD);
  const width = 100 / drawing.columns;
  return (
    <div className="graph" style={{ height }}>
      <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {drawing.lines.map((line) => (
          <path
            key={`${line.from} ${line.to}`}
            d={path(line.points)}
            data-done={runs.get(line.from)?.status === "succeeded"}
            data-runs={runs.get(line.to)?.status === "processing"}
          />
        ))}
      </svg>
      <ol>
        {drawing.places.map(({ stage, row, x }) => {
          const run = runs.get(stage);
          const served = known.find((one) => one.stage === stage);
          return (
            run &&
            served && (
              <li
                key={stage}
                style={{ top: row * ROW, left: `${x * 100}%`, height: CARD, width: `calc(${width}% - 8px)` }}
              >
                <StageCard run={run} shows={shownOf(served, tryon)} />
              </li>
            )
          );
        })}
      </ol>
    </div>
  );
}

function StageCard({ run, shows }: { run: StageRun; shows: string | undefined }) {
  const { t, language } = useSpeech();
  const status = run.engine === "given" ? "given" : run.reused ? "reused" : run.status;
  const took = status === "succeeded" && run.seconds != null;
  return (
    <div className="stage" data-stage={run.stage} data-status={status} title={run.engine ?? undefined}>
      <Picture path={shows} alt="" width={48} />
      <div>
        <strong>{word(t.stage, run.stage) ?? run.stage}</strong>
        <span>
          {status === "succeeded" && <Done />}
          {status === "reused" && <Reused />}
          <span className={took ? "unseen" : ""}>{t.stageStatus[status]}</span>
          {took && seconds(run.seconds ?? 0, language)}
          {run.given.length > 0 && <Brush />}
          {run.given.length > 0 && status !== "given" && <span className="unseen">, {t.stageStatus.given}</span>}
        </span>
      </div>
    </div>
  );
}

/** Kinds of pictures that say most; any other says less. */
const BEST = ["map", "mask", "labels", "picture", "image"];

/** The address of the picture that says most about what a stage made. */
function shownOf(stage: Serving, tryon: Tryon): string | undefined {
  const pictures = Object.entries(stage.outputs)
    .filter(([name, kind]) => !DOCUMENTS.includes(kind) && tryon.artifacts[name])
    .sort(([, a], [, b]) => BEST.indexOf(b) - BEST.indexOf(a));
  return pictures[0] && tryon.artifacts[pictures[0][0]];
}

function path(points: { x: number; y: number }[]): string {
  let said = "";
  points.forEach(({ x, y }, index) => {
    const top = y * ROW;
    const last = points[index - 1];
    if (!last) said += `M${x * 100} ${top + CARD}`;
    else {
      const from = last.y * ROW + CARD;
      const middle = (from + top) / 2;
      said += `C${last.x * 100} ${middle} ${x * 100} ${middle} ${x * 100} ${top}`;
      if (index < points.length - 1) said += `V${top + CARD}`;
    }
  });
  return said;
}
