/**
 * What routes, quotes and evidence hold inside: the server stores them as open JSON
 * (`engines/orders/routed.py`, `execution.py`), so they are read here field by field.
 */
import type { Schema } from "../../api/client";

export type Preview = Schema<"PreviewView">;
export type OrderDoc = Schema<"OrderView">;
export type OrderEvent = Schema<"EventView">;

/** What the risk kernel counted when it allowed the preview. */
export type Usage = Schema<"UsageView">;

export interface Quote {
  venue: string;
  pool?: string;
  kind?: string;
  price?: string;
  amountIn?: string;
  amountOut?: string;
  feeBps?: string;
  priceImpactBps?: string;
  slot?: number;
  ageMs?: number;
  error?: { code: string; detail: string };
}

export interface Leg {
  name: string;
  venue: string;
  pool: string;
  share: string;
  base: string;
  quote: string;
  feeBps: string;
}

export interface Alternative {
  kind: string;
  name: string;
  plan?: string;
  quote?: string;
  worseBps?: string;
  error?: { code: string; detail: string };
}

export interface Route {
  floor?: string;
  legs: Leg[];
  reason: string;
  gapBps?: string;
  poolFees?: string;
  roomBps?: string;
  runnerUp?: Alternative | null;
  alternatives: Alternative[];
  quotes: Quote[];
}

/** Read a route as it is stored; null where there is none yet. */
export function routeOf(told: unknown): Route | null {
  const route = told as (Partial<Route> & { share?: unknown }) | null | undefined;
  if (!route || typeof route !== "object" || !Array.isArray(route.legs)) return null;
  return {
    ...route,
    legs: route.legs.map((leg) => ({ ...leg, share: String(leg.share) })),
    reason: route.reason ?? "",
    alternatives: route.alternatives ?? [],
    quotes: route.quotes ?? [],
  };
}

/** Read the quotes of a preview or of evidence. */
export function quotesOf(told: unknown): Quote[] {
  return Array.isArray(told) ? (told as Quote[]) : [];
}

/** Return whether a route trades in this quote's pool, and with which share of the whole. */
export function shareIn(route: Route | null, quote: Quote): string | null {
  const leg = route?.legs.find((one) => one.pool === quote.pool);
  return leg ? leg.share : null;
}

/** Write a share of 1 as per cent: "0.6" → "60 %". */
export function percent(share: string): string {
  const hundredths = Math.round(Number(share) * 10_000); // a share is no money
  return `${(hundredths / 100).toString()} %`;
}

/** Name another way to trade: "raydium alone (a split over 5 legs)". */
export function wayOf(one: Alternative): string {
  return one.plan && one.plan !== one.name ? `${one.name} (${one.plan})` : one.name;
}

/** Return the ways that are not the chosen one under another name. */
export function othersOf(route: Route): Alternative[] {
  return route.alternatives.filter((one) => one.worseBps === undefined || /[1-9]/.test(one.worseBps));
}
