/**
 * The layout as the trade page shows it: the settings' sizes as properties that trade.css reads.
 *
 * They stand on the grid from the first paint. A drag sets the same properties past React, which
 * hears of them once, when the pointer lets go.
 */
import { useRef, useSyncExternalStore } from "react";
import type { CSSProperties, RefObject } from "react";
import { useSettings } from "../../api/settings";
import { useWidth } from "../../ui";
import type { Span } from "../../ui/split";
import { type Layout, MOVABLE_PX, type Room, SIDE_BY_SIDE_PX, type Sized, chartAbove, fit, keptAs, readLayout, resized } from "./layout";

const NAMES: readonly Sized[] = ["markets", "ticket", "orders"];
const PROPERTIES = { markets: "--trade-markets", ticket: "--trade-ticket", orders: "--trade-chart" } as const;

export interface Borders {
  grid: RefObject<HTMLDivElement | null>;
  style: CSSProperties;
  spans: Record<Sized, Span>;
  /** The sizes whose border can be moved in this window. */
  movable: readonly Sized[];
  hidden: boolean;
  /** Whether the list of markets may be hidden in this window. */
  hideable: boolean;
  /** Whether that list stands at the side, not above. */
  aside: boolean;
  /** Show a size while it is dragged; null puts back what is kept. */
  show: (name: Sized, size: number | null) => void;
  keep: (name: Sized, size?: number) => void;
  hide: (hidden: boolean) => void;
}

export function useLayout(): Borders {
  const { settings, change } = useSettings();
  const grid = useRef<HTMLDivElement>(null);
  const room = { width: useWidth(), height: useHeight() };
  const wide = room.width >= MOVABLE_PX;
  const aside = room.width >= SIDE_BY_SIDE_PX;
  const layout = readLayout(settings.layout);
  const hidden = wide && layout.hidden;
  const spans = fit(layout, room);
  const style = wide ? properties(layout, spans, room) : {};
  return {
    grid,
    style: style as CSSProperties,
    spans,
    movable: NAMES.filter((name) => wide && (name !== "markets" || (aside && !hidden))),
    hidden,
    hideable: wide,
    aside,
    show(name, size) {
      const text = size === null ? style[PROPERTIES[name]] : property(name, size, room);
      if (text === undefined) grid.current?.style.removeProperty(PROPERTIES[name]);
      else grid.current?.style.setProperty(PROPERTIES[name], text);
    },
    keep: (name, size) => change(keptAs(resized(layout, name, size))),
    hide: (now) => change(keptAs({ ...layout, hidden: now })),
  };
}

/** Return a property for each size that was chosen; the others are the style sheet's. */
function properties(layout: Layout, spans: Record<Sized, Span>, room: Room): Record<string, string> {
  const chosen = NAMES.filter((name) => layout[name] !== undefined);
  return Object.fromEntries(chosen.map((name) => [PROPERTIES[name], property(name, spans[name].value, room)]));
}

function property(name: Sized, size: number, room: Room): string {
  return `${name === "orders" ? chartAbove(size, room) : size}px`;
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("resize", changed);
  return () => window.removeEventListener("resize", changed);
}

function useHeight(): number {
  return useSyncExternalStore(subscribe, () => window.innerHeight);
}
