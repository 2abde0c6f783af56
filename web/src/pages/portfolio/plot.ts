/** Geometry of the plots: pure, and the only place where a figure becomes a float, to be drawn. */

export type Span = readonly [low: number, high: number];

/** A decimal as a coordinate; null where it is not known. Never for anything but drawing. */
export function drawn(text: string | null | undefined): number | null {
  if (text === null || text === undefined || text === "") return null;
  const found = Number(text);
  return Number.isFinite(found) ? found : null;
}

/** The span of these values with zero inside, a little air at both ends, and never empty. */
export function spanOf(values: readonly number[], least = 1): Span {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const wide = Math.max(high - low, least);
  const air = wide * 0.06;
  const missing = (wide - (high - low)) / 2;
  return [low - air - missing, high + air + missing];
}

/** A function from a span to pixels. */
export function scale(span: Span, from: number, to: number): (value: number) => number {
  const per = (to - from) / (span[1] - span[0]);
  return (value) => from + (value - span[0]) * per;
}

const STEPS = [1, 2, 5, 10];

/** Round figures inside a span, at most so many. */
export function ticks(span: Span, most: number): number[] {
  const rough = (span[1] - span[0]) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (STEPS.find((each) => each * power >= rough) ?? 10);
  const first = Math.ceil(span[0] / step);
  const last = Math.floor(span[1] / step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  const found: number[] = [];
  for (let at = first; at <= last; at += 1) found.push(Number((at * step).toFixed(decimals)) + 0);
  return found;
}

/** A tick as text, with the sign that the rest of the page uses. */
export function tickText(value: number): string {
  return value < 0 ? `\u2212${-value}` : String(value);
}
