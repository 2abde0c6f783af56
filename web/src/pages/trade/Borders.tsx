/** What moves the panels of the trade page: a border per size, and the button that hides the markets. */
import { Button, Splitter } from "../../ui";
import type { Grows } from "../../ui/split";
import type { Sized } from "./layout";
import type { Borders as Moved } from "./useLayout";

const BORDERS: Record<Sized, { label: string; grows: Grows }> = {
  markets: { label: "Width of the markets", grows: "right" },
  ticket: { label: "Width of the ticket", grows: "left" },
  orders: { label: "Height of the orders", grows: "up" },
};

/** One border of the page, where the window has it. */
export function Border({ name, borders }: { name: Sized; borders: Moved }) {
  if (!borders.movable.includes(name)) return null;
  return (
    <Splitter
      {...BORDERS[name]}
      className={`trade-border-${name}`}
      span={borders.spans[name]}
      onMove={(size) => borders.show(name, size)}
      onDone={(size) => borders.keep(name, size)}
      onReset={() => borders.keep(name)}
    />
  );
}

/** Beside the list there is room for a sign, above the chart for words. */
export function HideMarkets({ borders: { hidden, hideable, aside, hide } }: { borders: Moved }) {
  if (!hideable) return null;
  const word = hidden ? "Show markets" : "Hide markets";
  return (
    <Button small kind="quiet" className="trade-hide" aria-label={word} title={word} aria-expanded={!hidden} onClick={() => hide(!hidden)}>
      {aside ? <span aria-hidden="true">{hidden ? "»" : "«"}</span> : word}
    </Button>
  );
}
