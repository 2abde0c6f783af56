/** What the portfolio's routes answer (api/portfolio.py, api/execution.py); figures are exact decimal strings. */
import type { Schema } from "../../api/client";

export type Portfolio = Schema<"DeskPortfolioView">;
export type Holding = Schema<"HoldingView">;
export type PairResult = Schema<"PairPnlView">;
export type Fill = Schema<"PortfolioFillView">;
export type FillsPage = Schema<"PortfolioFillsView">;
export type Quality = Schema<"QualityView">;
export type Leg = Schema<"FillView">;
export type VenueRow = Schema<"VenueView">;

/** Name where a leg traded, hop by hop: "raydium CLMM > meteora DLMM". */
export function placeOf({ venue, kind }: Pick<Leg, "venue" | "kind">): string {
  const [venues, kinds] = [venue.split(" > "), kind.split(" > ")];
  if (venues.length !== kinds.length) return venue;
  return venues.map((name, hop) => `${name} ${kinds[hop]}`.trim()).join(" > ");
}

/** Return each venue that legs went through once: "raydium > meteora" is two. */
export function venuesOf(legs: readonly string[]): string[] {
  return [...new Set(legs.flatMap((venue) => venue.split(" > ")))];
}
