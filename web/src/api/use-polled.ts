import { useEffect, useState } from "react";
import { isFinal } from "./client";

const LOOK_AGAIN_MS = 1500;

export interface Polled<T> {
  document: T | null;
  error: unknown;
  /** Take a newer document, or what went wrong with asking for one. */
  replace(document: T): void;
  fail(error: unknown): void;
}

/** A document that is asked for again and again until all that it is about has ended, or asking is of no use. */
export function usePolled<T extends { status: string }>(id: string, ask: (id: string) => Promise<T>): Polled<T> {
  const [document, setDocument] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const over = document?.status === "completed";
  useEffect(() => {
    if (over) return;
    let here = true;
    const look = async () => {
      try {
        const newer = await ask(id);
        if (!here) return;
        setDocument(newer);
        setError(null);
      } catch (problem) {
        if (!here) return;
        setError(problem);
        if (isFinal(problem)) clearInterval(timer);
      }
    };
    const timer = setInterval(look, LOOK_AGAIN_MS);
    look();
    return () => {
      here = false;
      clearInterval(timer);
    };
  }, [id, ask, over]);
  return { document, error, replace: setDocument, fail: setError };
}

/** Of several try-ons those that nothing more will happen to. */
export const endedOf = <T extends { status: string }>(all: T[]): T[] =>
  all.filter(({ status }) => !["queued", "processing"].includes(status));
