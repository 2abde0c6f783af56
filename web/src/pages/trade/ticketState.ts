/**
 * What the ticket's button says and does: one table, in the order in which a trader is told.
 *
 * Pure: facts come in, the first row that fits goes out. Nothing but the last two rows can send.
 */
import type { Parsed } from "./amounts";

export type Side = "BUY" | "SELL";

export type PreviewFact =
  | { kind: "none" }
  | { kind: "loading" }
  | { kind: "failed"; code: string }
  | { kind: "expired" }
  | { kind: "ready"; impact: Impact };

export type Impact = "small" | "amber" | "red";

export interface Facts {
  side: Side;
  base: string;
  quote: string;
  /** The permission `orders:write`. */
  mayTrade: boolean;
  /** Why trading is stopped, null while it is not. */
  halted: string | null;
  link: "connecting" | "live" | "stale" | "lost" | "signed-out";
  amount: Parsed;
  limit: Parsed;
  slippage: "ok" | "invalid" | "above";
  /** What the wallet lacks of the asset to be given, null where it suffices or is not known. */
  missing: { symbol: string; amount: string } | null;
  price: { ageMs: number; ageMaxMs: number; validity: string; valid: boolean } | null;
  preview: PreviewFact;
  impactAccepted: boolean;
  sending: "no" | "sending" | "unknown" | "moved";
}

export type Act = "none" | "preview" | "send" | "accept";

export interface TicketState {
  name: string;
  text: string;
  act: Act;
  tone: "idle" | "wait" | "bad" | "go";
}

type Row = [
  name: string,
  when: (facts: Facts) => boolean,
  text: string | ((facts: Facts) => string),
  act: Act,
  tone: TicketState["tone"],
];

const FAILURES: Record<string, string> = {
  "funds.insufficient": "Not enough funds",
  "liquidity.insufficient": "Not enough liquidity for this size",
  "quotes.none": "No venue quotes this size",
  "amount.too_small": "Too small for every pool",
  "transaction.too_large": "Too large for one transaction",
  "pools.stale": "The chain is silent: pools are too old",
  "limit.order_notional": "Above the limit per order",
  "limit.day_notional": "Above the limit per day",
  "limit.open_orders": "Too many open orders",
  "limit.slippage": "Slippage above the limit",
  "pair.not_allowed": "This pair is not allowed for you",
  "price.stale": "Price is too old: refreshing",
  "price.missing": "No price yet: waiting",
  "price.band": "Best price is too far from the reference",
  "trading.halted": "Trading is halted",
  "network.unreachable": "The desk does not answer",
};

const TABLE: readonly Row[] = [
  ["forbidden", (f) => !f.mayTrade, "Your role may not trade", "none", "bad"],
  ["sending", (f) => f.sending === "sending", "Sending…", "none", "wait"],
  ["unknown", (f) => f.sending === "unknown", "Unknown: checking", "none", "wait"],
  ["moved", (f) => f.sending === "moved", "The quote moved: look, then accept", "accept", "bad"],
  ["halted", (f) => f.halted !== null, (f) => `Trading is halted: ${f.halted}`, "none", "bad"],
  ["connecting", (f) => f.link === "connecting", "Connecting…", "none", "wait"],
  ["offline", (f) => f.link !== "live", "Prices are delayed: reconnecting", "none", "bad"],
  ["empty", (f) => f.amount.kind === "empty", "Enter an amount", "none", "idle"],
  ["not-a-number", (f) => f.amount.kind === "invalid", "Amount is not a number like 10.5", "none", "bad"],
  ["too-fine", (f) => f.amount.kind === "finer", finer, "none", "bad"],
  ["zero", (f) => f.amount.kind === "zero", "Enter an amount above zero", "none", "idle"],
  ["limit-invalid", limitInvalid, "Limit price is not a price", "none", "bad"],
  ["slippage-invalid", (f) => f.slippage === "invalid", "Slippage is 0 to 10000 bps", "none", "bad"],
  ["slippage-above", (f) => f.slippage === "above", "Slippage is above your limit", "none", "bad"],
  ["price-missing", (f) => f.price === null, (f) => `No price of ${f.base} yet: waiting`, "none", "wait"],
  ["price-stale", isStale, (f) => `Price is ${seconds(f)} s old: refreshing`, "none", "bad"],
  ["price-unfit", (f) => f.price?.valid === false, unfit, "none", "bad"],
  ["insufficient", (f) => f.missing !== null, insufficient, "none", "bad"],
  ["quoting", (f) => f.preview.kind === "loading", "Getting quotes…", "none", "wait"],
  ["unquoted", (f) => f.preview.kind === "none", "Preview", "preview", "idle"],
  ["refused", (f) => f.preview.kind === "failed", refused, "preview", "bad"],
  ["expired", (f) => f.preview.kind === "expired", "Quote expired: get a new one", "preview", "idle"],
  ["impact", (f) => impact(f) === "red" && !f.impactAccepted, "Accept the price impact first", "none", "bad"],
  ["rest", (f) => f.limit.kind === "amount", (f) => `${does(f)} ${limitWords(f)}`, "send", "go"],
  ["ready", () => true, does, "send", "go"],
];

/** Return what the button says and does now. */
export function ticketState(facts: Facts): TicketState {
  const row = TABLE.find(([, when]) => when(facts))!; // the last row always fits
  const [name, , text, act, tone] = row;
  return { name, text: typeof text === "string" ? text : text(facts), act, tone };
}

/** Return every state's name, the first of the table first. */
export const STATES: readonly string[] = TABLE.map(([name]) => name);

function does(facts: Facts): string {
  const amount = facts.amount.kind === "amount" ? facts.amount.text : "";
  return `${facts.side === "BUY" ? "Buy" : "Sell"} ${amount} ${facts.base}`;
}

function limitWords(facts: Facts): string {
  const at = facts.limit.kind === "amount" ? facts.limit.text : "";
  return facts.side === "BUY" ? `at ${at} or less` : `at ${at} or more`;
}

/** Say what becomes of an order with a limit price; null without one. */
export function limitNote(facts: Facts): string | null {
  if (facts.limit.kind !== "amount") return null;
  const bound = facts.side === "BUY" ? "or less" : "or more";
  return `Waits until the price is ${facts.limit.text} ${bound}, for a day at most; quotes are the market’s now.`;
}

function limitInvalid(facts: Facts): boolean {
  return facts.limit.kind !== "empty" && facts.limit.kind !== "amount";
}

function finer(facts: Facts): string {
  const decimals = facts.amount.kind === "finer" ? facts.amount.decimals : 0;
  return `${facts.base} has at most ${decimals} decimals`;
}

function insufficient(facts: Facts): string {
  return `Insufficient ${facts.missing!.symbol}: need ${facts.missing!.amount} more`;
}

function isStale(facts: Facts): boolean {
  return facts.price !== null && facts.price.ageMs > facts.price.ageMaxMs;
}

function seconds(facts: Facts): number {
  return Math.floor(facts.price!.ageMs / 1000);
}

function unfit(facts: Facts): string {
  return `Price is ${facts.price!.validity.toLowerCase().replaceAll("_", " ")}: waiting`;
}

function impact(facts: Facts): Impact | null {
  return facts.preview.kind === "ready" ? facts.preview.impact : null;
}

function refused(facts: Facts): string {
  const code = facts.preview.kind === "failed" ? facts.preview.code : "";
  return FAILURES[code] ?? "No quote: try again";
}

const AMBER_BPS = 100n;
const RED_BPS = 300n;

/** Return how much a price impact, in bps as a decimal string, should worry a trader. */
export function impactOf(bps: string): Impact {
  const whole = BigInt(/^\d+/.exec(bps)?.[0] ?? "0");
  if (whole >= RED_BPS) return "red";
  return whole >= AMBER_BPS ? "amber" : "small";
}
