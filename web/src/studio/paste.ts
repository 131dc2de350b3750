import { useEffect, useEffectEvent } from "react";
import type { Place } from "../lib/chosen";

/** Hear of pictures that are pasted anywhere on the page, and of the part that has the focus, where one has. */
export function usePaste(take: (pictures: File[], focused: Place | undefined) => void): void {
  const hear = useEffectEvent((event: ClipboardEvent) => {
    const pictures = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    const focused = document.activeElement?.closest<HTMLElement>("[data-part]")?.dataset.part as Place | undefined;
    if (pictures.length > 0) take(pictures, focused);
  });
  useEffect(() => {
    const paste = (event: ClipboardEvent) => hear(event);
    window.addEventListener("paste", paste);
    return () => window.removeEventListener("paste", paste);
  }, []);
}
