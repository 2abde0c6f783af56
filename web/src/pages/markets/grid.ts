/** What stands where in the grid of assets and sources. Pure. */
import type { FeedView, MarketView, PriceView, SourceHealth } from "./shapes";

/** Every asset that some pair trades, in the order pairs name them: what is traded before what it is paid in. */
export function symbolsOf(markets: readonly MarketView[]): string[] {
  return [...new Set([...markets.map((market) => market.base), ...markets.map((market) => market.quote)])];
}

/** The columns: sources that speak of prices now, then those that should and do not. */
export function columnsOf(feeds: readonly FeedView[], sources: readonly SourceHealth[], news: ReadonlySet<string>): string[] {
  const speaking = [...new Set(feeds.map((feed) => feed.source))];
  const others = sources.map((source) => source.name).filter((name) => !news.has(name));
  return [...new Set([...speaking, ...others])];
}

const KINDS = ["quote", "index", "trade", "derived", "remembered"];

/** The feeds of one cell of the grid, one for each currency: the one that counts, else the best there is. */
export function cellOf(feeds: readonly FeedView[], symbol: string, source: string): FeedView[] {
  const found = feeds.filter((feed) => feed.symbol === symbol && feed.source === source);
  found.sort((a, b) => Number(b.counted) - Number(a.counted) || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  const best = new Map<string, FeedView>();
  for (const feed of found) if (!best.has(feed.currency)) best.set(feed.currency, feed);
  return [...best.values()].sort((a, b) => a.currency.localeCompare(b.currency));
}

/**
 * The price that is shown: what came live, with what the desk thinks of it by now.
 *
 * Nothing is sent while nothing is heard, so a price that came as valid may have grown old since;
 * the document that is read every other second says so.
 */
export function freshest(live: PriceView | null, read: PriceView | undefined): PriceView | null {
  if (live === null) return read ?? null;
  if (read === undefined) return live;
  if (read.receivedAt === live.receivedAt && read.value === live.value) return read.ageMs >= live.ageMs ? read : live;
  return read.receivedAt > live.receivedAt ? read : live;
}

/** A web address of a story, null where it is none that may be opened. */
export function safeLink(url: string): string | null {
  try {
    const { protocol, href } = new URL(url);
    return protocol === "https:" || protocol === "http:" ? href : null;
  } catch {
    return null;
  }
}
