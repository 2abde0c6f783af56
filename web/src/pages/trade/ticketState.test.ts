import { describe, expect, it } from "vitest";
import { parse } from "./amounts";
import { type Facts, STATES, impactOf, ticketState } from "./ticketState";

const READY: Facts = {
  side: "BUY",
  base: "SOL",
  quote: "USDC",
  mayTrade: true,
  halted: null,
  link: "live",
  amount: parse("10.5", 9),
  limit: parse("", 8),
  slippage: "ok",
  missing: null,
  price: { ageMs: 900, ageMaxMs: 10_000, validity: "VALID", valid: true },
  preview: { kind: "ready", impact: "small" },
  impactAccepted: false,
  sending: "no",
};

/** What differs from a ticket that is ready → the state, its words, what a press does. */
const CASES: [Partial<Facts>, string, string, string][] = [
  [{ mayTrade: false }, "forbidden", "Your role may not trade", "none"],
  [{ sending: "sending" }, "sending", "Sending…", "none"],
  [{ sending: "unknown" }, "unknown", "Unknown: checking", "none"],
  [{ sending: "moved" }, "moved", "The quote moved: look, then accept", "accept"],
  [{ halted: "drill" }, "halted", "Trading is halted: drill", "none"],
  [{ link: "connecting" }, "connecting", "Connecting…", "none"],
  [{ link: "stale" }, "offline", "Prices are delayed: reconnecting", "none"],
  [{ link: "lost" }, "offline", "Prices are delayed: reconnecting", "none"],
  [{ amount: parse("", 9) }, "empty", "Enter an amount", "none"],
  [{ amount: parse("1,5", 9) }, "not-a-number", "Amount is not a number like 10.5", "none"],
  [{ amount: parse("0.1234567891", 9) }, "too-fine", "SOL has at most 9 decimals", "none"],
  [{ amount: parse("0.000", 9) }, "zero", "Enter an amount above zero", "none"],
  [{ limit: parse("abc", 8) }, "limit-invalid", "Limit price is not a price", "none"],
  [{ limit: parse("0", 8) }, "limit-invalid", "Limit price is not a price", "none"],
  [{ slippage: "invalid" }, "slippage-invalid", "Slippage is 0 to 10000 bps", "none"],
  [{ slippage: "above" }, "slippage-above", "Slippage is above your limit", "none"],
  [{ price: null }, "price-missing", "No price of SOL yet: waiting", "none"],
  [
    { price: { ageMs: 12_400, ageMaxMs: 10_000, validity: "STALE", valid: false } },
    "price-stale",
    "Price is 12 s old: refreshing",
    "none",
  ],
  [
    { price: { ageMs: 10, ageMaxMs: 10_000, validity: "TOO_UNCERTAIN", valid: false } },
    "price-unfit",
    "Price is too uncertain: waiting",
    "none",
  ],
  [
    { side: "SELL", missing: { symbol: "SOL", amount: "1.2" } },
    "insufficient",
    "Insufficient SOL: need 1.2 more",
    "none",
  ],
  [{ preview: { kind: "loading" } }, "quoting", "Getting quotes…", "none"],
  [{ preview: { kind: "none" } }, "unquoted", "Preview", "preview"],
  [
    { preview: { kind: "failed", code: "liquidity.insufficient" } },
    "refused",
    "Not enough liquidity for this size",
    "preview",
  ],
  [{ preview: { kind: "failed", code: "amount.too_small" } }, "refused", "Too small for every pool", "preview"],
  [{ preview: { kind: "failed", code: "x.new" } }, "refused", "No quote: try again", "preview"],
  [{ preview: { kind: "expired" } }, "expired", "Quote expired: get a new one", "preview"],
  [
    { preview: { kind: "ready", impact: "red" } },
    "impact",
    "Accept the price impact first",
    "none",
  ],
  [{ preview: { kind: "ready", impact: "red" }, impactAccepted: true }, "ready", "Buy 10.5 SOL", "send"],
  [{ preview: { kind: "ready", impact: "amber" } }, "ready", "Buy 10.5 SOL", "send"],
  [{ limit: parse("140.50", 8) }, "rest", "Buy 10.5 SOL at 140.5 or less", "send"],
  [{ side: "SELL", limit: parse("150", 8) }, "rest", "Sell 10.5 SOL at 150 or more", "send"],
  [{}, "ready", "Buy 10.5 SOL", "send"],
  [{ side: "SELL" }, "ready", "Sell 10.5 SOL", "send"],
];

describe("the ticket's button", () => {
  it.each(CASES.map(([change, ...told]) => [...told, change] as const))("%s: %s", (name, text, act, change) => {
    expect(ticketState({ ...READY, ...change })).toMatchObject({ name, text, act });
  });

  it("has a case for every state", () => {
    expect(new Set(CASES.map(([, name]) => name))).toEqual(new Set(STATES));
  });

  it("can send in no state but the last two", () => {
    const sends = CASES.filter(([, , , act]) => act === "send").map(([, name]) => name);
    expect(new Set(sends)).toEqual(new Set(["rest", "ready"]));
  });

  it("never sends while anything at all speaks against it, whatever else is well", () => {
    const against = CASES.filter(([, , , act]) => act !== "send").map(([change]) => change);
    for (const one of against)
      for (const other of against)
        expect(ticketState({ ...READY, ...one, ...other }).act).not.toBe("send");
  });
});

describe("price impact", () => {
  it.each([
    ["0", "small"],
    ["99.99", "small"],
    ["100.00", "amber"],
    ["299.99", "amber"],
    ["300.00", "red"],
    ["12345.67", "red"],
  ])("of %s bps is %s", (bps, impact) => expect(impactOf(bps)).toBe(impact));
});
