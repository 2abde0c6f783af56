/** The arithmetic of a movable border: how its panel's size follows the pointer and the keys; drawn by `Splitter.tsx`. */

/** A size in CSS pixels, and what it may be now. */
export interface Span {
  value: number;
  min: number;
  max: number;
}

/** Where the border goes when its panel grows. */
export type Grows = "right" | "left" | "up";

const STEP = 8;
const LEAP = 32; // with Shift

const ARROWS: Record<Grows, { more: string; less: string }> = {
  right: { more: "ArrowRight", less: "ArrowLeft" },
  left: { more: "ArrowLeft", less: "ArrowRight" },
  up: { more: "ArrowUp", less: "ArrowDown" },
};

/** Return a whole size within a span. */
export function within({ min, max }: Pick<Span, "min" | "max">, size: number): number {
  return Math.max(min, Math.min(max, Math.round(size)));
}

/** Return the size after the border went `byX`, `byY` px from where `span` was taken. */
export function dragged(span: Span, grows: Grows, byX: number, byY: number): number {
  const more = { right: byX, left: -byX, up: -byY }[grows];
  return within(span, span.value + more);
}

/** Return the size a key asks for; null where the key means nothing to a border. */
export function keyed(span: Span, grows: Grows, key: string, shift: boolean): number | null {
  const step = shift ? LEAP : STEP;
  if (key === "Home") return span.min;
  if (key === "End") return span.max;
  if (key === ARROWS[grows].more) return within(span, span.value + step);
  if (key === ARROWS[grows].less) return within(span, span.value - step);
  return null;
}
