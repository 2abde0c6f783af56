/**
 * The trade page's layout: what the desk keeps of it, and how that fits a window.
 *
 * A size the trader never chose is absent and follows the window. What was kept may be from another
 * screen or another version, so each size is judged when it is read and fitted when it is shown.
 */
import type { Settings } from "../../api/settings";
import { type Span, within } from "../../ui/split";

/** Sizes in CSS pixels: widths of markets and ticket, height of the orders within the window. */
export interface Layout {
  markets?: number;
  ticket?: number;
  orders?: number;
  hidden: boolean;
}

export type Sized = "markets" | "ticket" | "orders";

export interface Room {
  width: number;
  height: number;
}

/** From here up borders move; below, panels stand over one another. trade.css says the same. */
export const MOVABLE_PX = 860;
/** From here up the markets stand at the side, not above. */
export const SIDE_BY_SIDE_PX = 1280;

/** The least keeps every number whole, the most is no use any more. */
export const BOUNDS: Record<Sized, { min: number; max: number }> = {
  markets: { min: 208, max: 400 },
  ticket: { min: 350, max: 560 },
  orders: { min: 120, max: 2_000 },
};

const CHART = { width: 440, height: 360 };
const BAR = 44;
const PADDING = 32; // both sides of the page
const GAP = 8;
const SCROLLBAR = 16;

/** Read what the desk keeps; what is no size, or out of bounds, is not there. */
export function readLayout(told: unknown): Layout {
  const kept = told !== null && typeof told === "object" ? (told as Record<string, unknown>) : {};
  const layout: Layout = { hidden: kept.hidden === true };
  for (const name of Object.keys(BOUNDS) as Sized[]) {
    const size = kept[name];
    const { min, max } = BOUNDS[name];
    if (typeof size === "number" && size >= min && size <= max) layout[name] = Math.round(size);
  }
  return layout;
}

/** Return a layout as the settings keep it. */
export function keptAs(layout: Layout): Settings {
  return { layout: { ...layout } };
}

/** Return a layout with one size changed; without one, it follows the window again. */
export function resized(layout: Layout, name: Sized, size?: number): Layout {
  const { [name]: _, ...others } = layout;
  return size === undefined ? others : { ...others, [name]: size };
}

/** Return what each size is in a window, and may be, so that the chart keeps its least. */
export function fit(layout: Layout, room: Room): Record<Sized, Span> {
  const aside = room.width >= SIDE_BY_SIDE_PX;
  const markets = aside && !layout.hidden;
  // A hidden list leaves a rail as wide as the button that brings it back.
  const besides = PADDING + SCROLLBAR + (aside ? 2 : 1) * GAP + (aside && layout.hidden ? RAIL : 0);
  const sides = room.width - besides - CHART.width;
  const ticketMost = sides - (markets ? BOUNDS.markets.min : 0);
  const ticket = span("ticket", layout.ticket ?? (aside ? 360 : 350), ticketMost);
  const list = span("markets", layout.markets ?? 220, sides - ticket.value);
  return {
    markets: list,
    ticket: { ...ticket, max: most("ticket", sides - (markets ? list.value : 0)) },
    orders: span("orders", layout.orders ?? standing(room), heights(room) - CHART.height),
  };
}

/** The rail of a hidden list, in px. */
export const RAIL = 32;

/** Return the chart's height above orders of a height. */
export function chartAbove(orders: number, room: Room): number {
  return Math.max(CHART.height, heights(room) - orders);
}

/** Return the height of the orders below a chart whose height nobody chose. */
function standing(room: Room): number {
  const share = room.width >= SIDE_BY_SIDE_PX ? 0.52 : 0.48;
  return heights(room) - Math.max(CHART.height, share * room.height);
}

function heights(room: Room): number {
  return room.height - BAR - PADDING - GAP;
}

function span(name: Sized, size: number, room: number): Span {
  const bounds = { min: BOUNDS[name].min, max: most(name, room) };
  return { ...bounds, value: within(bounds, size) };
}

function most(name: Sized, room: number): number {
  const { min, max } = BOUNDS[name];
  return Math.max(min, Math.min(max, Math.floor(room)));
}
