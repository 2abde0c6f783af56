/** Sums over pairs and fills: exact, and never across currencies. Pure. */
import { add } from "../../format";
import type { PairResult } from "./shapes";

export interface Sum {
  currency: string;
  value: string;
}

const LAMPORTS_DIGITS = 9;

/** The two halves of a pair: what is traded, and what it is paid in. */
export function halves(pair: string): [base: string, quote: string] {
  const [base = pair, quote = ""] = pair.split("-");
  return [base, quote];
}

/** One sum for each currency that pairs are paid in, in the order they first appear. */
export function byQuote(pairs: readonly PairResult[], of: (pair: PairResult) => string | null): Sum[] {
  const sums = new Map<string, string>();
  for (const pair of pairs) {
    const value = of(pair);
    if (value !== null) sums.set(pair.quote, add(sums.get(pair.quote) ?? "0", value));
  }
  return [...sums].map(([currency, value]) => ({ currency, value }));
}

/** Lamports as SOL, exactly. */
export function sol(lamports: number): string {
  const digits = BigInt(lamports).toString().padStart(LAMPORTS_DIGITS + 1, "0");
  const whole = digits.slice(0, -LAMPORTS_DIGITS);
  const rest = digits.slice(-LAMPORTS_DIGITS).replace(/0+$/, "");
  return rest === "" ? whole : `${whole}.${rest}`;
}

/** Fees of all pairs by what they were paid in: SOL to the network, others as they are named. */
export function feesOf(pairs: readonly PairResult[]): { network: string; other: Sum[] } {
  const other = new Map<string, string>();
  let network = "0";
  for (const { fees } of pairs) {
    network = add(network, fees.network);
    for (const [symbol, fee] of Object.entries(fees.other)) other.set(symbol, add(other.get(symbol) ?? "0", fee));
  }
  return { network, other: [...other].map(([currency, value]) => ({ currency, value })) };
}
