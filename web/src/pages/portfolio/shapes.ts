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
