/** How the desk's words on prices and sources are said to people; one table each. Pure. */

export type Tone = "good" | "warn" | "bad" | "quiet";

export interface Word {
  tone: Tone;
  text: string;
  /** The whole sentence, for a title. */
  means: string;
}

const VALIDITY: Record<string, Word> = {
  VALID: { tone: "good", text: "valid", means: "Nothing is known against this price." },
  STRAINED: { tone: "warn", text: "strained", means: "Usable, but uncertain, old, silent or apart enough to be shown as such." },
  STALE: { tone: "bad", text: "stale", means: "Older than may be traded on." },
  QUARANTINED: { tone: "bad", text: "unconfirmed", means: "It jumped, and nothing has confirmed the jump yet." },
  CLOSED: { tone: "bad", text: "closed", means: "Its market is closed: the last word, not a price to trade at." },
  STALE_FOR_MARGIN: { tone: "bad", text: "too old", means: "Older than margins may be reckoned with." },
  TOO_UNCERTAIN: { tone: "bad", text: "uncertain", means: "Its confidence is too wide a part of it." },
  DISAGREES: { tone: "bad", text: "disagrees", means: "Sources are too far apart to say who is right." },
  TOO_VOLATILE: { tone: "bad", text: "volatile", means: "Several times its own mean of the last minutes, or a fraction of it." },
  CORRUPT: { tone: "bad", text: "corrupt", means: "Not a positive, finite number, or a bid at or above its ask." },
};

/** What a validity means; one this page does not know is shown as the desk wrote it. */
export function validity(name: string): Word {
  return VALIDITY[name] ?? { tone: "warn", text: name.toLowerCase(), means: name };
}

/** Of everything while the desk itself is not heard: what it said last is no state of now. */
export const UNHEARD: Word = { tone: "quiet", text: "not heard", means: "The desk is not heard: this is the last it said." };

/** Whether a price is to be greyed: it may not be traded on. */
export function isOld(name: string): boolean {
  return name !== "VALID" && name !== "STRAINED";
}

const STATES: Record<string, Word> = {
  live: { tone: "good", text: "live", means: "It sends, and what it sends is read." },
  silent: { tone: "bad", text: "silent", means: "Nothing came from it for ten seconds or more." },
  away: { tone: "bad", text: "away", means: "It cannot be reached; the desk keeps trying." },
  ended: { tone: "quiet", text: "ended", means: "It has nothing more to say, such as a recording played to its end." },
};

export function sourceState(name: string): Word {
  return STATES[name] ?? { tone: "warn", text: name, means: name };
}

const KINDS: Record<string, string> = {
  quote: "quote or oracle",
  index: "index of a derivatives exchange",
  trade: "last trade",
  derived: "perpetual, not the asset itself",
  remembered: "from before the start: to show, not to trade on",
};

export function feedKind(name: string): string {
  return KINDS[name] ?? name;
}

const REASONS: Record<string, string> = {
  not_a_number: "Not a number",
  not_positive: "Not positive",
  crossed: "Bid at or above ask",
  duplicate: "Said before",
  older: "Older than the last",
  late: "A trade that came late",
  future: "From the future",
  outlier: "Jumped too far",
};

/** Which rule a message broke, in words. */
export function reason(name: string): string {
  return REASONS[name] ?? name;
}

const ALERTS: Record<string, string> = {
  "feed.silent": "A feed is silent",
  "book.unsynced": "An order book is out of sync",
  "candle.mismatch": "A candle differs from the exchange's",
  "price.disagreement": "Sources disagree",
  "source.away": "A source cannot be reached",
  "clock.skewed": "A clock is off",
  "recording.stopped": "Recording stopped",
};

export function alertTitle(kind: string): string {
  return ALERTS[kind] ?? kind;
}

/** Whether a source's prices are made up by the desk or played from a file, in a word to put beside them. */
export function madeUp(source: string): string | null {
  if (/(^|[^a-z])simulated/i.test(source)) return "simulated";
  if (/(^|[^a-z])recorded/i.test(source)) return "recorded";
  if (/(^|[^a-z])cached: /i.test(source)) return "cached";
  if (/(^|[^a-z])assumed /i.test(source)) return "assumed";
  return null;
}
