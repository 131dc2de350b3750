import { useLayoutEffect, useRef, useState } from "react";
import { useText } from "../i18n";
import { Dialog } from "../ui/dialog";
import { Close, Minus, Plus } from "../ui/icons";
import { Picture } from "../ui/picture";

const STEPS = [1, 1.5, 2, 3, 4];

/** Of previews the largest, in pixels of the page. */
const PREVIEW = 512;

interface Props {
  path: string | undefined;
  /** Instead of the file, whose try-on is forgotten once it was fetched: it is for whoever saves it. */
  preview?: boolean;
  alt: string;
  onClose(): void;
}

/** A picture on the whole screen, larger if wanted; it is moved by scrolling, or by dragging with the mouse. */
export function Zoom({ path, preview, alt, onClose }: Props) {
  const t = useText().tryon;
  const [step, setStep] = useState(0);
  const pane = useRef<HTMLDivElement>(null);
  const middle = useRef({ x: 0.5, y: 0.5 }); // what is in the middle of the pane, and stays there
  // biome-ignore lint/correctness/useExhaustiveDependencies: after every step
  useLayoutEffect(() => {
    const { current: shown } = pane;
    if (!shown) return;
    shown.scrollLeft = middle.current.x * shown.scrollWidth - shown.clientWidth / 2;
    shown.scrollTop = middle.current.y * shown.scrollHeight - shown.clientHeight / 2;
  }, [step]);
  const zoom = (by: number) => setStep((now) => Math.min(STEPS.length - 1, Math.max(0, now + by)));
  return (
    <Dialog label={alt} className="zoom" onClose={onClose}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the mouse's way to scroll; keys scroll by themselves */}
      <div
        className="pane"
        ref={pane}
        onScroll={({ currentTarget: shown }) => {
          middle.current = {
            x: (shown.scrollLeft + shown.clientWidth / 2) / shown.scrollWidth,
            y: (shown.scrollTop + shown.clientHeight / 2) / shown.scrollHeight,
          };
        }}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: so that the arrow keys scroll it
        tabIndex={0}
        onDoubleClick={() => setStep((now) => (now ? 0 : 2))}
        onPointerMove={(event) => {
          if (event.pointerType === "mouse" && event.buttons === 1)
            pane.current?.scrollBy(-event.movementX, -event.movementY);
        }}
      >
        <div
          className="sheet"
          style={{ width: `${(STEPS[step] ?? 1) * 100}%`, height: `${(STEPS[step] ?? 1) * 100}%` }}
        >
          <Picture path={path} alt={alt} {...(preview && { width: PREVIEW })} />
        </div>
      </div>
      <div className="bar">
        <button
          type="button"
          className="button small"
          disabled={step === 0}
          onClick={() => zoom(-1)}
          aria-label={t.zoomOut}
        >
          <Minus />
        </button>
        <button
          type="button"
          className="button small"
          disabled={step === STEPS.length - 1}
          onClick={() => zoom(1)}
          aria-label={t.zoomIn}
        >
          <Plus />
        </button>
        <button type="button" className="button small" onClick={onClose} aria-label={t.close}>
          <Close />
        </button>
      </div>
    </Dialog>
  );
}
