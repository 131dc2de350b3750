import { type KeyboardEvent, type PointerEvent, useEffect, useId, useRef, useState } from "react";
import { useText } from "../i18n";
import { type Brush, HEIGHT, type Point, paint, type Stroke, WIDTH } from "../lib/strokes";
import { Picture } from "../ui/picture";
import { shownMask } from "./masks";

interface Props {
  /** Addresses of the mask, and of the picture below it. */
  mask: string;
  picture: string;
  label: string;
  brush: Brush;
  strokes: Stroke[];
  onStroke(stroke: Stroke): void;
  onError(error: unknown): void;
}

const MIDDLE: Point = { x: WIDTH / 2, y: HEIGHT / 2 };
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** A mask over its picture, to paint on: with mouse, pen or finger, or with the keys. */
export function Easel({ mask, picture, label, brush, strokes, onStroke, onError }: Props) {
  const t = useText().mend;
  const help = useId();
  const canvas = useRef<HTMLCanvasElement>(null);
  const current = useRef<Stroke | null>(null);
  const [base, setBase] = useState<ImageData | null>(null);
  const [at, setAt] = useState<Point | null>(null);

  useEffect(() => {
    let wanted = true;
    shownMask(mask).then(
      (image) => wanted && setBase(image),
      (error) => wanted && onError(error),
    );
    return () => {
      wanted = false;
    };
  }, [mask, onError]);
  useEffect(() => {
    // Or the browser takes a quick stroke for a fling, and the next tap for what stops it.
    const noGesture = (event: TouchEvent) => event.preventDefault();
    const { current: touched } = canvas;
    touched?.addEventListener("touchstart", noGesture, { passive: false });
    return () => touched?.removeEventListener("touchstart", noGesture);
  }, []);
  const context = () => canvas.current?.getContext("2d", { willReadFrequently: true });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the canvas stays the same
  useEffect(() => {
    const sheet = context();
    if (!base || !sheet) return;
    sheet.putImageData(base, 0, 0);
    for (const stroke of strokes) paint(sheet, stroke);
  }, [base, strokes]);

  const placeOf = ({ clientX, clientY }: { clientX: number; clientY: number }): Point => {
    const box = canvas.current?.getBoundingClientRect() ?? new DOMRect(0, 0, WIDTH, HEIGHT);
    return { x: ((clientX - box.x) / box.width) * WIDTH, y: ((clientY - box.y) / box.height) * HEIGHT };
  };
  const begin = (event: PointerEvent<HTMLCanvasElement>) => {
    // Two fingers at once are no brush, and other buttons than the main one are for menus.
    if (!event.isPrimary || event.button !== 0 || !base) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    current.current = { ...brush, points: [] };
    extend([event.nativeEvent]);
  };
  const move = (event: PointerEvent<HTMLCanvasElement>) => {
    if (!event.isPrimary) return;
    setAt(placeOf(event));
    const between = event.nativeEvent.getCoalescedEvents?.() ?? [];
    extend(between.length > 0 ? between : [event.nativeEvent]);
  };
  const extend = (events: globalThis.PointerEvent[]) => {
    const stroke = current.current;
    const sheet = context();
    if (!stroke || !sheet) return;
    const known = stroke.points.length;
    stroke.points.push(...events.map(placeOf));
    paint(sheet, stroke, Math.max(0, known - 1));
  };
  const end = () => {
    if (current.current) onStroke(current.current);
    current.current = null;
  };
  const press = (event: KeyboardEvent) => {
    const here = at ?? MIDDLE;
    const arrow = ARROWS[event.key];
    if (event.key === " " || event.key === "Enter") onStroke({ ...brush, points: [here] });
    else if (arrow) {
      const step = Math.max(4, brush.size / 4);
      const there = {
        x: Math.min(WIDTH, Math.max(0, here.x + arrow[0] * step)),
        y: Math.min(HEIGHT, Math.max(0, here.y + arrow[1] * step)),
      };
      setAt(there);
      if (event.shiftKey) onStroke({ ...brush, points: [here, there] });
    } else return;
    event.preventDefault();
  };

  return (
    <div className="easel">
      <div className="sheet" data-state={base ? "there" : "coming"}>
        <Picture path={picture} alt="" width={512} />
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it hears pointers and keys by itself */}
        <canvas
          ref={canvas}
          width={WIDTH}
          height={HEIGHT}
          role="application"
          tabIndex={0}
          aria-label={label}
          aria-describedby={help}
          onPointerDown={begin}
          onPointerMove={move}
          onPointerUp={end}
          onPointerCancel={end}
          onPointerLeave={() => setAt(null)}
          onFocus={({ currentTarget }) => currentTarget.matches(":focus-visible") && setAt(MIDDLE)}
          onKeyDown={press}
        />
        {at && (
          <span
            className="ring"
            aria-hidden="true"
            style={{
              left: `${(at.x / WIDTH) * 100}%`,
              top: `${(at.y / HEIGHT) * 100}%`,
              width: `${(brush.size / WIDTH) * 100}%`,
            }}
          />
        )}
      </div>
      <p className="unseen" id={help}>
        {t.easelHelp}
      </p>
    </div>
  );
}
