/** What the routes of market data answer (api/markets.py, feeds.py, sources.py, news.py). */
import type { Schema } from "../../api/client";

export type PriceView = Schema<"PriceView">;
export type SourceHealth = Schema<"SourceHealth">;
export type RejectionView = Schema<"RejectionView">;
export type RawView = Schema<"RawView">;
export type AlertView = Schema<"AlertView">;
export type StoryView = Schema<"StoryView">;
export type LevelsView = Schema<"LevelsView">;
export type MarketView = Schema<"MarketView">;
/** What a source says of an asset in one currency, beside the desk's word. */
export type FeedView = Schema<"FeedView">;
export type FeedsView = Schema<"FeedsView">;
