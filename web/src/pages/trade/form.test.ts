import { describe, expect, it } from "vitest";
import { parse } from "./amounts";
import { type Form, PRIORITIES, draftOf, missing, paysPriority, portion, slippageOf } from "./form";

const SOL = { base: "SOL", quote: "USDC", baseDecimals: 9, quoteDecimals: 6 };
const BTC = { base: "BTC", quote: "USDC", baseDecimals: 8, quoteDecimals: 6 };
const FORM: Form = { side: "SELL", amount: "", limit: "", slippage: "50", priority: "" };
const BUY: Form = { ...FORM, side: "BUY" };

describe("presets", () => {
  it("are shares of the exact balance, rounded down", () => {
    const purse = { base: "1.000000003", quote: "0" };
    const asked = { form: FORM, traded: SOL, purse, price: "150" };
    expect([25, 50, 75].map((percent) => portion(percent, asked))).toEqual([
      "0.25",
      "0.500000001",
      "0.750000002",
    ]);
  });

  it("leave SOL for fees when all is sold, and nothing of other assets", () => {
    const purse = { base: "5", quote: "0" };
    expect(portion(100, { form: FORM, traded: SOL, purse, price: null })).toBe("4.99");
    expect(portion(100, { form: FORM, traded: BTC, purse, price: null })).toBe("5");
    expect(portion(100, { form: FORM, traded: SOL, purse: { base: "0.001", quote: "0" }, price: null })).toBe("0");
  });

  it("size a purchase so that even its worst price is covered", () => {
    const purse = { base: "0", quote: "1000.123456" };
    for (const percent of [25, 50, 75, 100]) {
      const amount = portion(percent, { form: BUY, traded: SOL, purse, price: "148.95" })!;
      const lacks = missing({ form: BUY, traded: SOL, purse, amount: parse(amount, 9), price: "148.95", maximumPaid: null });
      expect(lacks).toBeNull();
    }
  });

  it("are not there while a balance or price is unknown", () => {
    expect(portion(50, { form: BUY, traded: SOL, purse: { base: "1", quote: "1" }, price: null })).toBeNull();
    expect(portion(50, { form: BUY, traded: SOL, purse: { base: "1", quote: null }, price: "1" })).toBeNull();
    expect(portion(50, { form: FORM, traded: SOL, purse: { base: null, quote: "1" }, price: "1" })).toBeNull();
  });
});

describe("what is missing", () => {
  it("is exact for a sale", () => {
    const purse = { base: "9.3", quote: "0" };
    const facts = { form: FORM, traded: SOL, purse, price: "150", maximumPaid: null };
    expect(missing({ ...facts, amount: parse("10.5", 9) })).toEqual({ symbol: "SOL", amount: "1.2" });
    expect(missing({ ...facts, amount: parse("9.3", 9) })).toBeNull();
  });

  it("of a purchase goes by the preview once there is one", () => {
    const purse = { base: "0", quote: "100" };
    const facts = { form: BUY, traded: SOL, purse, amount: parse("1", 9), price: "99.9" };
    expect(missing({ ...facts, maximumPaid: null })).toEqual({ symbol: "USDC", amount: "0.4" });
    expect(missing({ ...facts, maximumPaid: "100" })).toBeNull();
    expect(missing({ ...facts, maximumPaid: "100.000001" })).toEqual({ symbol: "USDC", amount: "0.01" });
  });
});

describe("slippage", () => {
  it.each([
    ["", 50],
    ["0", 0],
    ["10000", 10_000],
    ["10001", null],
    ["1.5", null],
    ["-1", null],
  ])("%j is %s bps", (slippage, bps) => expect(slippageOf({ ...FORM, slippage })).toBe(bps));
});

describe("the order of a form", () => {
  const asked = (form: Partial<Form>) => draftOf("SOL-USDC", { ...FORM, ...form }, parse("1.5", 9));

  it("leaves the priority to the desk unless one is chosen", () => {
    expect(asked({})).toEqual({ pair: "SOL-USDC", direction: "SELL", amount: "1.5", slippageBps: 50 });
    expect(asked({ priority: "urgent" })).toEqual({ ...asked({}), priority: "urgent" });
    expect(PRIORITIES.map(({ value }) => asked({ priority: value })?.priority)).toEqual([
      undefined, "economy", "normal", "urgent",
    ]);
  });

  it("has a priority to choose only where one is paid for", () => {
    expect([undefined, "paper", "localnet", "mainnet"].map(paysPriority)).toEqual([false, false, true, true]);
  });

  it("has a limit price only where one is typed, and is none while a field is wrong", () => {
    expect(asked({ limit: "140.50" })).toEqual({ ...asked({}), limitPrice: "140.5" });
    expect(asked({ limit: "abc" })).toBeNull();
    expect(asked({ slippage: "-1" })).toBeNull();
    expect(draftOf("SOL-USDC", FORM, parse("", 9))).toBeNull();
  });
});
