/**
 * A border between two panels that pointer and keys move (the "window splitter" of the ARIA
 * practices: https://www.w3.org/WAI/ARIA/apg/patterns/windowsplitter/).
 *
 * While it is dragged only `onMove` hears of it, so that nothing is drawn anew or saved for each
 * pixel; `onDone` hears once. Escape and a lost pointer put everything back.
 */
import { useRef, useState } from "react";
import type { KeyboardEvent, PointerEvent } from "react";
import { type Grows, type Span, dragged, keyed } from "./split";
import "./ui.css";

export interface SplitterProps {
  /** What is resized, for ears. */
  label: string;
  span: Span;
  grows: Grows;
  /** Show a size of the drag under way; null: it came to nothing. */
  onMove: (size: number | null) => void;
  onDone: (size: number) => void;
  /** Back to the size of its own. */
  onReset: () => void;
  className?: string | undefined;
}

interface Drag {
  pointer: number;
  x: number;
  y: number;
  from: Span;
  size: number;
}

export function Splitter({ label, span, grows, onMove, onDone, onReset, className }: SplitterProps) {
  const drag = useRef<Drag | null>(null);
  const [moving, setMoving] = useState<number | null>(null);

  const begin = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0 || drag.current) return;
    event.preventDefault(); // no text is selected on the way
    event.currentTarget.focus({ preventScroll: true });
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { pointer: event.pointerId, x: event.clientX, y: event.clientY, from: span, size: span.value };
  };
  const move = (event: PointerEvent) => {
    const now = drag.current;
    if (now?.pointer !== event.pointerId) return;
    const size = dragged(now.from, grows, event.clientX - now.x, event.clientY - now.y);
    if (size === now.size) return;
    now.size = size;
    setMoving(size);
    onMove(size);
  };
  const end = (keeps: boolean) => {
    const now = drag.current;
    if (!now) return;
    drag.current = null;
    setMoving(null);
    if (keeps && now.size !== now.from.value) onDone(now.size);
    else onMove(null);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Escape" && drag.current) return end(false);
    if (event.ctrlKey || event.metaKey || event.altKey || drag.current) return;
    const size = keyed(span, grows, event.key, event.shiftKey);
    if (size === null) return;
    event.preventDefault();
    if (size !== span.value) onDone(size);
  };

  const upright = grows !== "up";
  const size = moving ?? span.value;
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={upright ? "vertical" : "horizontal"}
      aria-valuenow={size}
      aria-valuemin={span.min}
      aria-valuemax={span.max}
      aria-valuetext={`${size} pixels`}
      title={`${label}: drag, or arrow keys; double click for the default`}
      className={`ui-splitter ${upright ? "ui-splitter-upright" : "ui-splitter-level"} ${className ?? ""}`}
      data-moving={moving !== null || undefined}
      onPointerDown={begin}
      onPointerMove={move}
      onPointerUp={() => end(true)}
      onPointerCancel={() => end(false)}
      onLostPointerCapture={() => end(false)}
      onKeyDown={pressed}
      onDoubleClick={onReset}
    />
  );
}
