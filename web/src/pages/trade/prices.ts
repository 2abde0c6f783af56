/** Live prices for the trade page: a pair's price out of two reference prices, and their true age. */
import { useMemo } from "react";
import type { Schema } from "../../api/client";
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { useNow } from "../../ui";
import { ratio } from "./amounts";

type PriceView = Schema<"PriceView">;
type Market = Schema<"MarketView">;

const DIGITS = 8;

const heard = new WeakMap<PriceView, number>();

/** Return how old a price is at `now`: its age when it was told, and the time since. */
export function ageOf(price: PriceView, now: number): number {
  const at = heard.get(price) ?? now;
  heard.set(price, at);
  return price.ageMs + Math.max(0, now - at);
}

export interface PairPrice {
  /** Quote per base, rounded down; null while one of both is not known. */
  value: string | null;
  ageMs: number | null;
  validity: string | null;
  valid: boolean;
  source: string | null;
  base: PriceView | null;
  quote: PriceView | null;
}

const ORDER = [
  "CORRUPT",
  "TOO_VOLATILE",
  "DISAGREES",
  "TOO_UNCERTAIN",
  "STALE_FOR_MARGIN",
  "CLOSED",
  "QUARANTINED",
  "STALE",
  "STRAINED",
  "VALID",
];

/** Join the prices of both assets into the pair's; the worse of both says how good it is. */
export function joined(base: PriceView | null, quote: PriceView | null, now: number): PairPrice {
  if (!base || !quote) {
    const source = base?.source ?? null;
    return { value: null, ageMs: null, validity: null, valid: false, source, base, quote };
  }
  const worse = rank(base) <= rank(quote) ? base : quote;
  return {
    value: ratio(base.value, quote.value, DIGITS),
    ageMs: Math.max(ageOf(base, now), ageOf(quote, now)),
    validity: worse.validity,
    valid: base.valid && quote.valid,
    source: base.source,
    base,
    quote,
  };
}

function rank(price: PriceView): number {
  return ORDER.indexOf(price.validity);
}

/** Follow a pair's price. */
export function usePairPrice(market: Pick<Market, "base" | "quote">): PairPrice {
  const base = useCell(useMemo(() => live.price(market.base), [market.base]));
  const quote = useCell(useMemo(() => live.price(market.quote), [market.quote]));
  return joined(base, quote, useNow());
}
