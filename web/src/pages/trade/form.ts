/** The ticket's fields: what was typed, what follows from it, and the presets. Pure. */
import type { Draft } from "../../api/orders";
import { type Parsed, fromRaw, parse, times, toRaw } from "./amounts";
import type { Side } from "./ticketState";

export interface Form {
  side: Side;
  amount: string;
  limit: string;
  slippage: string;
  /** What is paid to land soon; empty leaves it to the desk. */
  priority: Priority | "";
}

type Priority = NonNullable<Draft["priority"]>;

/** What may be chosen, and which fee that pays. */
export const PRIORITIES: readonly { value: Form["priority"]; label: string; pays: string }[] = [
  { value: "", label: "as set", pays: "pays as the desk is set" },
  { value: "economy", label: "economy", pays: "pays more than 25 %" },
  { value: "normal", label: "normal", pays: "pays more than 75 %" },
  { value: "urgent", label: "urgent", pays: "pays more than 95 %" },
];

/** Shares of the balance, per cent; the keys 1 to 4. */
export const PRESETS = [25, 50, 75, 100] as const;
export const SLIPPAGE = "50"; // the server's own default
const PRICE_DIGITS = 18;
const SOL_KEPT = 10_000_000n; // 0.01 SOL stay behind for fees when all SOL is sold
const MARGIN_BPS = 50n; // pool fees of a purchase that is sized by the money there is
const BPS = 10_000n;

export interface Traded {
  base: string;
  quote: string;
  baseDecimals: number;
  quoteDecimals: number;
}

export interface Purse {
  base: string | null;
  quote: string | null;
}

export function limitOf(form: Form): Parsed {
  return parse(form.limit, PRICE_DIGITS);
}

/** Return the slippage in bps; null where it is none. */
export function slippageOf(form: Form): number | null {
  const text = form.slippage.trim() || SLIPPAGE;
  return /^\d{1,5}$/.test(text) && Number(text) <= 10_000 ? Number(text) : null;
}

/** Say whether orders of this mode pay for speed; not before the mode is known. */
export function paysPriority(mode: string | undefined): boolean {
  return mode !== undefined && mode !== "paper";
}

/** Return the order the form says, null while it says none. */
export function draftOf(pair: string, form: Form, amount: Parsed): Draft | null {
  const [limit, slippageBps] = [limitOf(form), slippageOf(form)];
  if (amount.kind !== "amount" || slippageBps === null) return null;
  if (limit.kind !== "empty" && limit.kind !== "amount") return null;
  const limitPrice = limit.kind === "amount" ? { limitPrice: limit.text } : {};
  const priority = form.priority ? { priority: form.priority } : {};
  return { pair, direction: form.side, amount: amount.text, slippageBps, ...limitPrice, ...priority };
}

/**
 * Return the amount of the base asset for a share of what the wallet can give, rounded down;
 * null where the balance or the price is not known.
 */
export function portion(
  percent: number,
  { form, traded, purse, price }: { form: Form; traded: Traded; purse: Purse; price: string | null },
): string | null {
  if (form.side === "SELL") {
    const held = toRaw(purse.base, traded.baseDecimals);
    if (held === null) return null;
    const kept = traded.base === "SOL" && percent === 100 ? SOL_KEPT : 0n;
    const raw = (held * BigInt(percent)) / 100n - kept;
    return fromRaw(raw > 0n ? raw : 0n, traded.baseDecimals);
  }
  const held = toRaw(purse.quote, traded.quoteDecimals);
  const each = toRaw(price, PRICE_DIGITS);
  if (held === null || !each) return null;
  const worst = BPS + BigInt(slippageOf(form) ?? 0) + MARGIN_BPS;
  const paid = ((held * BigInt(percent)) / 100n) * BPS;
  const scale = 10n ** BigInt(PRICE_DIGITS + traded.baseDecimals - traded.quoteDecimals);
  return fromRaw((paid * scale) / (each * worst), traded.baseDecimals);
}

/**
 * Return what the wallet lacks for this order, null where it has enough or that is not known.
 *
 * A purchase takes at most `maximumPaid` of its preview; before there is one, the reference price
 * with the slippage stands for it, which is also how the server judges.
 */
export function missing(facts: {
  form: Form;
  traded: Traded;
  purse: Purse;
  amount: Parsed;
  price: string | null;
  maximumPaid: string | null;
}): { symbol: string; amount: string } | null {
  const { form, traded, purse, amount } = facts;
  if (amount.kind !== "amount") return null;
  const sells = form.side === "SELL";
  const decimals = sells ? traded.baseDecimals : traded.quoteDecimals;
  const held = toRaw(sells ? purse.base : purse.quote, decimals);
  const gives = sells ? amount.raw : paid(facts, amount.text);
  if (held === null || gives === null || gives <= held) return null;
  const lacks = sells ? gives - held : roundedUp(gives - held, decimals);
  return { symbol: sells ? traded.base : traded.quote, amount: fromRaw(lacks, decimals) };
}

function paid(
  facts: { form: Form; traded: Traded; price: string | null; maximumPaid: string | null },
  amount: string,
): bigint | null {
  if (facts.maximumPaid !== null) return toRaw(facts.maximumPaid, facts.traded.quoteDecimals);
  if (facts.price === null) return null;
  const worth = times(amount, facts.price, facts.traded.quoteDecimals);
  return worth && (worth * (BPS + BigInt(slippageOf(facts.form) ?? 0))) / BPS;
}

/** Cents are fine enough for what is an estimate, and never too little. */
function roundedUp(raw: bigint, decimals: number): bigint {
  const cent = 10n ** BigInt(Math.max(decimals - 2, 0));
  return ((raw + cent - 1n) / cent) * cent;
}
