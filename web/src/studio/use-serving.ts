import { useEffect, useState } from "react";
import { api, type Serving } from "../api/client";

const LOOK_AGAIN_MS = 5000;

/** What serves each stage; looked at again while one of them is not ready. Empty until it is known, or where it cannot be. */
export function useServing(): Serving[] {
  const [serving, setServing] = useState<Serving[]>([]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let here = true;
    const look = async () => {
      // Without an answer there is nothing to say: what is wrong then is told where it matters.
      const stages = await api.stages().catch(() => []);
      if (!here) return;
      setServing(stages);
      if (stages.some(({ health }) => !health.ready)) timer = setTimeout(look, LOOK_AGAIN_MS);
    };
    look();
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, []);
  return serving;
}
