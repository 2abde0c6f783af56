import { expect, test } from "vitest";
import type { PairResult } from "./shapes";
import { byQuote, feesOf, halves, sol } from "./sums";

const pair = (name: string, realized: string, network = "0", other: Record<string, string> = {}): PairResult => {
  const [base, quote] = halves(name);
  const none = { base: "0", quote: "0" };
  const fees = { networkFeeLamports: 0, network, platformFee: "0", other };
  return {
    pair: name, base, quote, realized, fees, bought: none, sold: none, unknownCost: none, position: "0",
    averageCost: null, unrealized: null, marketPrice: null, fills: 1, firstAt: "", lastAt: "",
  };
};

test("sums are exact and stay in their currency", () => {
  const pairs = [pair("SOL-USDC", "0.1"), pair("SOL-USDT", "5"), pair("BTC-USDC", "0.2"), pair("ETH-USDC", "-10")];
  expect(byQuote(pairs, (each) => each.realized)).toEqual([
    { currency: "USDC", value: "-9.7" },
    { currency: "USDT", value: "5" },
  ]);
});

test("no pairs are no sums", () => {
  expect(byQuote([], (each) => each.realized)).toEqual([]);
});

test("lamports become SOL without a rounding", () => {
  expect([0, 1, 5_000, 1_000_000_000, 1_234_567_890].map(sol)).toEqual([
    "0",
    "0.000000001",
    "0.000005",
    "1",
    "1.23456789",
  ]);
});

test("fees are summed by what they were paid in", () => {
  const pairs = [pair("A-B", "0", "0.000005", { BNB: "0.1" }), pair("C-D", "0", "0.000000007", { BNB: "0.2", X: "1" })];
  expect(feesOf(pairs)).toEqual({
    network: "0.000005007",
    other: [
      { currency: "BNB", value: "0.3" },
      { currency: "X", value: "1" },
    ],
  });
  expect(feesOf([])).toEqual({ network: "0", other: [] });
});

test("what is not known is left out of a sum, not counted as zero", () => {
  expect(byQuote([pair("SOL-USDC", "1")], (each) => each.unrealized)).toEqual([]);
});

test("a pair has two halves", () => {
  expect(halves("PYUSD-USDC")).toEqual(["PYUSD", "USDC"]);
});
