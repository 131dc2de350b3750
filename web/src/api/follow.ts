import { at } from "../lib/base";
import { get, isFinal, isGone, type StageRun, type Tryon, Unreachable, type Warning } from "./client";
import { messages } from "./sse";

/** What the gateway tells of a stage that begins or ends. */
export type StageEvent = Pick<StageRun, "stage" | "status"> &
  Partial<StageRun> & {
    outputs?: Record<string, string>;
    warnings?: Warning[];
    error?: unknown;
    /** Of the generator, where there are several samples. */
    seed?: number;
    /** From the second one on. */
    sample?: number;
    /** Of an outfit: for which of its garments. */
    garment?: number;
  };

/** How far a stage is that is under way. */
export type Progress = Tryon["progress"][number];

export interface Listener {
  stage(event: StageEvent): void;
  progress(told: Progress): void;
  /** It ended, or was deleted: null. */
  end(tryon: Tryon | null): void;
  /** Whether there is a connection. */
  connected(yes: boolean): void;
}

const SILENCE_MS = 40_000; // the gateway says something every 15 s
const LONGEST_PAUSE_MS = 8_000;

/** Tell the listener all that happens to a try-on, across lost connections, until it ends or the signal is aborted. */
export async function follow(id: string, listener: Listener, signal: AbortSignal): Promise<void> {
  let last = "";
  let failures = 0;
  while (!signal.aborted) {
    const line = new AbortController();
    const hangUp = () => line.abort();
    signal.addEventListener("abort", hangUp);
    let silence: ReturnType<typeof setTimeout> | undefined;
    try {
      const headers: HeadersInit = last ? { "Last-Event-ID": last } : {};
      const answer = await get(at(`/v1/tryons/${id}/events`), { headers, signal: line.signal, cache: "no-store" });
      listener.connected(true);
      if (!answer.body) throw new Unreachable("an empty answer");
      for await (const message of messages(answer.body)) {
        failures = 0;
        clearTimeout(silence);
        silence = setTimeout(hangUp, SILENCE_MS);
        if (message.id) last = message.id;
        if (message.event === "stage") listener.stage(JSON.parse(message.data));
        if (message.event === "progress") listener.progress(JSON.parse(message.data));
        if (message.event === "completed") return listener.end(JSON.parse(message.data));
        if (message.event === "deleted") return listener.end(null);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isGone(error)) return listener.end(null);
      if (isFinal(error)) throw error;
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", hangUp);
    }
    listener.connected(false);
    await pause(Math.min(1000 * 2 ** failures++, LONGEST_PAUSE_MS), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener("online", done, { once: true });
    signal.addEventListener("abort", done, { once: true });
  });
}
