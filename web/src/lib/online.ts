import { useSyncExternalStore } from "react";
import { at } from "./base";

/** Whether the gateway can be reached: as the browser says, and as the last request found. */
let reached = navigator.onLine;
const listeners = new Set<() => void>();

const ASK_AGAIN_MS = 3000;
let asking: ReturnType<typeof setInterval> | undefined = reached ? undefined : setInterval(ask, ASK_AGAIN_MS);

/** Tell what became of a request. */
export function noteReached(yes: boolean): void {
  if (yes === reached) return;
  reached = yes;
  clearInterval(asking);
  if (!yes) asking = setInterval(ask, ASK_AGAIN_MS);
  for (const listener of listeners) listener();
}

async function ask(): Promise<void> {
  const answer = await fetch(at("/livez"), { cache: "no-store" }).catch(() => null);
  if (answer) noteReached(true);
}

window.addEventListener("online", ask);
window.addEventListener("offline", () => noteReached(false));

function listen(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

export const useOnline = () => useSyncExternalStore(listen, () => reached);
