/** Bounds between the field, the desk and the eye: dollars stay text, nothing is rounded. */
import { describe, expect, it } from "vitest";
import { LIMITS, read, same, shown, written } from "./names";

describe("read", () => {
  it("keeps dollars as they were written", () => {
    expect(read("usd", "100000000000000.12345678")).toBe("100000000000000.12345678");
    expect(read("usd", "1,000,000")).toBe("1000000");
  });
  it.each(["-1", "1e9", "abc", "1.123456789", "NaN", "0x10"])("refuses %s as dollars", (text) => expect(read("usd", text)).toBeUndefined());
  it("reads whole numbers, pairs, and nothing as no bound", () => {
    expect(read("whole", "50")).toBe(50);
    expect(read("whole", "5.5")).toBeUndefined();
    expect(read("pairs", "sol-usdc, BTC-USDC")).toEqual(["SOL-USDC", "BTC-USDC"]);
    expect(read("whole", "  ")).toBeNull();
  });
});

it("takes back what it writes", () => {
  for (const { kind } of LIMITS) {
    const value = { usd: "250000.5", whole: 75, pairs: ["BTC-USDC", "SOL-USDC"] }[kind];
    expect(same(read(kind, written(value)), value)).toBe(true);
  }
});

it("shows digits grouped and whole", () => {
  expect(shown("order_notional_usd_max", "1234567.00000001")).toBe("1,234,567.00000001 USD");
  expect(shown("open_orders_max", 100000)).toBe("100,000");
  expect(shown("slippage_bps_max", null)).toBe("no bound");
  expect(shown("pairs", [])).toBe("none");
});
