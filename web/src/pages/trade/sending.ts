/**
 * What the desk's answer to a placed order means. Pure.
 *
 * Only an answer that surely came from before anything was stored is a refusal. Everything else,
 * silence above all, leaves the order's fate open: then the same request is sent again with the
 * same key, which can find the order or place it, but never place it twice.
 */
import { ApiError } from "../../api/client";
import type { Preview } from "./shapes";

export type Answer =
  | { kind: "refused"; error: ApiError }
  | { kind: "moved"; preview: Preview }
  | { kind: "unknown"; error: ApiError | null };

const UNSURE_CODES = /^(network|database|response)\./;

/** Judge what was thrown instead of an order's id. */
export function answered(problem: unknown): Answer {
  if (!(problem instanceof ApiError)) return { kind: "unknown", error: null };
  if (problem.code === "quote.expired") {
    const fresh = (problem.body as { preview?: Preview } | null)?.preview;
    return fresh ? { kind: "moved", preview: fresh } : { kind: "refused", error: problem };
  }
  const unsure = UNSURE_CODES.test(problem.code) || (problem.status >= 500 && problem.status !== 503);
  return unsure ? { kind: "unknown", error: problem } : { kind: "refused", error: problem };
}

const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

/** Return how long to wait before asking the desk again what became of the order. */
export function pauseMs(tries: number): number {
  return PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]!;
}

/** Return whether to ask before sending: on unless a size is named below which not to. */
export function mustConfirm(facts: {
  below: string | null;
  orderUsd: string | null;
  impact: "small" | "amber" | "red";
}): boolean {
  if (facts.impact !== "small" || facts.below === null || facts.orderUsd === null) return true;
  return cents(facts.orderUsd) > cents(facts.below);
}

function cents(usd: string): bigint {
  const [whole = "0", part = ""] = usd.split(".");
  return /^\d+$/.test(whole) ? BigInt(whole + part.slice(0, 2).padEnd(2, "0")) : 0n;
}
