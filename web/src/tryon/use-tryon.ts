import { useCallback, useEffect, useState } from "react";
import { api, type Serving, type Tryon, Unreachable } from "../api/client";
import { follow } from "../api/follow";
import { useOnline } from "../lib/online";
import { advance, hasEnded, stepped } from "../lib/progress";

export interface Watched {
  tryon: Tryon | null;
  serving: Serving[];
  /** It is not there any more. */
  gone: boolean;
  connected: boolean;
  error: unknown;
  /** Take a newer document: of a cancel, or of a retry, which is then followed. */
  replace(tryon: Tryon): void;
}

/** A try-on as it goes: its document first, then every event until it ends. */
export function useTryon(id: string): Watched {
  const [tryon, setTryon] = useState<Tryon | null>(null);
  const [serving, setServing] = useState<Serving[]>([]);
  const [gone, setGone] = useState(false);
  const [connected, setConnected] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every attempt is followed anew
  useEffect(() => {
    const watch = new AbortController();
    const end = (last: Tryon | null) => {
      if (last) setTryon(last);
      else setGone(true);
    };
    const begin = async () => {
      setError(null);
      // Which asks every stage how it is; the pictures need not wait for that.
      const graph = api.stages().then((stages) => {
        if (!watch.signal.aborted) setServing(stages);
      });
      const document = api.tryon(id).then((first) => {
        if (!watch.signal.aborted) setTryon(first);
        return first;
      });
      const [first] = await Promise.all([document, graph]);
      if (watch.signal.aborted || hasEnded(first)) return;
      const stage = (event: Parameters<typeof advance>[1]) => setTryon((now) => now && advance(now, event));
      const progress = (told: Parameters<typeof stepped>[1]) => setTryon((now) => now && stepped(now, told));
      await follow(id, { stage, progress, end, connected: setConnected }, watch.signal);
    };
    begin().catch((problem) => {
      if (watch.signal.aborted) return;
      if (problem?.problem?.status === 404) setGone(true);
      else setError(problem);
    });
    return () => watch.abort();
  }, [id, attempt]);

  const online = useOnline();
  useEffect(() => {
    if (online && error instanceof Unreachable) setAttempt((now) => now + 1);
  }, [online, error]);

  const replace = useCallback((newer: Tryon) => {
    setTryon(newer);
    setAttempt((now) => now + 1);
  }, []);
  return { tryon, serving, gone, connected, error, replace };
}
