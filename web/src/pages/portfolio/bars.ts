/** What the plots of execution quality draw, worked out from the desk's figures. Pure. */
import { money } from "../../format";
import { drawn, spanOf, type Span } from "./plot";
import type { Leg, VenueRow } from "./shapes";

export interface Bar {
  id: string;
  venue: string;
  pair: string;
  /** The figure as the table has it. */
  text: string;
  mean: number;
  /** One standard error to both sides; null where one fill does not tell it. */
  error: number | null;
}

/** Bars from the dearest to the cheapest, and the span that holds them with their errors. */
export function barsOf(rows: readonly VenueRow[]): { bars: Bar[]; span: Span } {
  const bars = rows.map((row) => ({
    id: `${row.venue} ${row.pair}`,
    venue: row.venue,
    pair: row.pair,
    text: row.stderrBps === null ? money(row.meanCostBps, 2) : `${money(row.meanCostBps, 2)} ± ${money(row.stderrBps, 2)}`,
    mean: drawn(row.meanCostBps) ?? 0,
    error: drawn(row.stderrBps),
  }));
  bars.sort((a, b) => b.mean - a.mean || a.id.localeCompare(b.id));
  return { bars, span: spanOf(bars.flatMap(({ mean, error }) => [mean - (error ?? 0), mean + (error ?? 0)])) };
}

export const HORIZONS = ["10 s", "1 min", "5 min"] as const;

export interface MarkoutRow {
  id: string;
  venue: string;
  pair: string;
  /** After 10 s, 1 min and 5 min; null until known. */
  after: (number | null)[];
}

export function markoutsOf(rows: readonly VenueRow[]): { rows: MarkoutRow[]; span: Span } {
  const found = rows.map((row) => ({
    id: `${row.venue} ${row.pair}`,
    venue: row.venue,
    pair: row.pair,
    after: [row.markout10sBps, row.markout1mBps, row.markout5mBps].map(drawn),
  }));
  found.sort((a, b) => a.id.localeCompare(b.id));
  return { rows: found, span: spanOf(found.flatMap((row) => row.after.filter((value) => value !== null))) };
}

export interface Dot {
  id: string;
  orderId: string;
  buy: boolean;
  /** Quoted to simulated, and quoted to landed, in bps. */
  x: number;
  y: number;
}

/** A dot for each leg whose simulated and landed amounts are both its own, not shares of its order's. */
export function dotsOf(legs: readonly Leg[]): { dots: Dot[]; span: Span } {
  const dots: Dot[] = [];
  for (const leg of legs) {
    const x = drawn(leg.costBps.quotedToSimulated);
    const y = drawn(leg.costBps.quotedToLanded);
    if (!leg.measured || !leg.simulatedMeasured || x === null || y === null) continue;
    dots.push({ id: `${leg.orderId}.${leg.leg}`, orderId: leg.orderId, buy: leg.direction === "BUY", x, y });
  }
  return { dots, span: spanOf(dots.flatMap(({ x, y }) => [x, y])) };
}
