import { type Shown, usePicture } from "../api/pictures";

const SMALL = 100;

interface Props {
  path: string | undefined;
  alt: string;
  /** In pixels of the page: a preview is fetched that is large enough for dense screens. */
  width?: number;
  className?: string;
}

/** A picture of the API. Its box is there before it is, so that nothing moves when it arrives. */
export function Picture({ path, alt, width, className = "" }: Props) {
  const address = path && width ? `${path}${path.includes("?") ? "&" : "?"}width=${Math.min(1024, width * 2)}` : path;
  // What somebody looks at comes before the small ones around it.
  const shown: Shown = usePicture(address, width && width < SMALL ? "low" : "high");
  return (
    <span className={`picture ${className}`} data-state={shown.failed ? "failed" : shown.url ? "there" : "coming"}>
      {shown.url && <img src={shown.url} alt={alt} draggable={false} />}
    </span>
  );
}
