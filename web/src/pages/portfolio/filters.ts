/** Which fills the execution quality is of: kept in the page's address, asked of the server. Pure. */

export const SINCE = ["1d", "7d", "30d", "all"] as const;
export type Since = (typeof SINCE)[number];

export interface Filters {
  pair: string | null;
  venue: string | null;
  since: Since;
}

const DAY_MS = 86_400_000;
const DAYS: Record<Since, number | null> = { "1d": 1, "7d": 7, "30d": 30, all: null };
const MINUTE_MS = 60_000;

/** What an address says; what is not understood there is left out rather than guessed at. */
export function filtersOf(read: (name: string) => string | null | undefined): Filters {
  const since = read("since");
  return {
    pair: read("pair") || null,
    venue: read("venue") || null,
    since: SINCE.find((each) => each === since) ?? "all",
  };
}

export interface Asked {
  pair: string | null;
  venue: string | null;
  since: string | null;
  limit: number;
}

/** The question to `GET /api/execution/quality`; whole minutes, so that one answer serves a while. */
export function asked({ pair, venue, since }: Filters, limit: number, nowMs: number): Asked {
  const days = DAYS[since];
  const from = days === null ? null : Math.floor((nowMs - days * DAY_MS) / MINUTE_MS) * MINUTE_MS;
  return { pair, venue, since: from === null ? null : new Date(from).toISOString(), limit };
}
