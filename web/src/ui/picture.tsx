import { useState } from "react";
import { type Shown, usePicture } from "../api/pictures";

const SMALL = 100;

interface Props {
  path: string | undefined;
  alt: string;
  /** In pixels of the page: a preview is fetched that is large enough for dense screens. */
  width?: number;
  className?: string;
  /** Show the last one until the next is there: it is another drawing of the same. */
  kept?: boolean;
}

/** A picture of the API. Its box is there before it is, so that nothing moves when it arrives. */
export function Picture({ path, alt, width, className = "", kept = false }: Props) {
  const address = path && width ? `${path}${path.includes("?") ? "&" : "?"}width=${Math.min(1024, width * 2)}` : path;
  // What somebody looks at comes before the small ones around it.
  const shown: Shown = usePicture(address, width && width < SMALL ? "low" : "high");
  const [last, setLast] = useState<string | null>(null);
  if (kept && shown.url && shown.url !== last) setLast(shown.url);
  const url = shown.url ?? (kept ? last : null);
  return (
    <span className={`picture ${className}`} data-state={shown.failed ? "failed" : shown.url ? "there" : "coming"}>
      {url && <img src={url} alt={alt} draggable={false} />}
    </span>
  );
}
