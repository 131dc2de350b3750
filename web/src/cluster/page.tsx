import { type ReactNode, useEffect, useState } from "react";
import { api, type Serving, type Tryon } from "../api/client";
import { seconds, useSpeech, useText, word } from "../i18n";
import { at } from "../lib/base";
import { NotReady } from "../ui/not-ready";
import { ProblemText } from "../ui/problem";
import { Sparkline } from "./sparkline";

const LOOK_AGAIN_MS = 5000;
const LOOKED_BACK = 50;
const COUNTED = 100; // as many as the gateway lists at once

/** What serves each stage, how it is, and how long its last runs took. */
export function ClusterPage() {
  const t = useText().cluster;
  const [stages, setStages] = useState<Serving[] | null>(null);
  const [recent, setRecent] = useState<Tryon[]>([]);
  const [queue, setQueue] = useState<{ running: string; waiting: string } | null>(null);
  const [error, setError] = useState<unknown>(null);

  useEffect(() => {
    let here = true;
    const look = async () => {
      try {
        const [serving, { tryons }, running, waiting] = await Promise.all([
          api.stages(),
          api.tryons({ limit: LOOKED_BACK }),
          counted("processing"),
          counted("queued"),
        ]);
        if (!here) return;
        setStages(serving);
        setRecent(tryons);
        setQueue({ running, waiting });
        setError(null);
      } catch (problem) {
        if (here) setError(problem);
      }
    };
    look();
    const timer = setInterval(look, LOOK_AGAIN_MS);
    return () => {
      here = false;
      clearInterval(timer);
    };
  }, []);

  const down = stages?.filter(({ health }) => !health.ready).length ?? 0;
  return (
    <div className="cluster">
      <header className="intro">
        <h1>{t.heading}</h1>
        <p>{t.lead}</p>
      </header>
      {error !== null && <ProblemText error={error} />}
      <dl className="figures" aria-live="polite">
        <div data-bad={down > 0}>
          <dt>{down ? t.unhealthy(down) : t.healthy}</dt>
          <dd>{stages ? `${stages.length - down} / ${stages.length}` : "–"}</dd>
        </div>
        <div>
          <dt>{t.queue}</dt>
          <dd>{queue ? t.queueValue(queue.running, queue.waiting) : "–"}</dd>
        </div>
      </dl>
      <ul className="services">
        {stages?.map((stage) => (
          <Service key={stage.stage} stage={stage} runs={secondsOf(stage.stage, recent)} />
        ))}
      </ul>
      <p className="quiet">
        {t.updated} <a href={at("/docs")}>{t.docs}</a> · <a href={at("/debug")}>{t.service}</a>
      </p>
    </div>
  );
}

/** How many try-ons are in that state; "100+" for more than the gateway lists at once. */
async function counted(status: Tryon["status"]): Promise<string> {
  const { tryons, next } = await api.tryons({ limit: COUNTED, status });
  return `${tryons.length}${next ? "+" : ""}`;
}

/** How long the stage ran in these try-ons, the oldest first; not where its result was reused. */
export function secondsOf(stage: string, tryons: Tryon[]): number[] {
  const runs = tryons.flatMap((tryon) => tryon.stages.filter((run) => run.stage === stage));
  return runs
    .flatMap((run) => (run.status === "succeeded" && !run.reused && run.seconds != null ? run.seconds : []))
    .reverse();
}

function Service({ stage, runs }: { stage: Serving; runs: number[] }) {
  const { t, language } = useSpeech();
  const said = t.cluster;
  const { python, framework, device } = stage.runtime;
  const median = [...runs].sort((a, b) => a - b)[Math.floor(runs.length / 2)];
  return (
    <li className="service" data-ready={Boolean(stage.health.ready)} data-stage={stage.stage}>
      <header>
        <h2>
          {word(t.stage, stage.stage) ?? stage.stage} <code>{stage.stage}</code>
        </h2>
        <span className="health">{stage.health.ready ? said.ready : said.down}</span>
      </header>
      {!stage.health.ready && (
        <ul className="notice bad causes">
          <NotReady stage={stage} />
        </ul>
      )}
      {typeof stage.health.instead_of === "string" && (
        <p className="notice">
          {said.fallback} <small>{stage.health.instead_of}</small>
        </p>
      )}
      <dl>
        <Fact name={said.engine}>
          {stage.engine} {stage.version}
          {stage.stand_in && <small>{said.standIn}</small>}
        </Fact>
        <Fact name={said.runtime}>{[python && `Python ${python}`, framework].filter(Boolean).join(", ")}</Fact>
        <Fact name={said.device}>{String(device ?? "cpu")}</Fact>
        <Fact name={said.licence}>
          {stage.licence}
          {stage.weights.length > 0 && <small>{said.weights(stage.weights.length)}</small>}
        </Fact>
        <Fact name={said.latency}>
          {median === undefined ? (
            said.noRuns
          ) : (
            <>
              <Sparkline values={runs} />
              <small>{said.latencyText(seconds(median, language), runs.length)}</small>
            </>
          )}
        </Fact>
      </dl>
      {stage.debug && <a href={stage.debug}>{said.debug}</a>}
    </li>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
