import { describe, expect, it } from "vitest";
import { fromRaw, parse, plain, ratio, times, toRaw } from "./amounts";

describe("what is typed", () => {
  it.each([
    ["", { kind: "empty" }],
    ["  ", { kind: "empty" }],
    [".", { kind: "invalid" }],
    ["-1", { kind: "invalid" }],
    ["1e3", { kind: "invalid" }],
    ["1,5", { kind: "invalid" }],
    ["0x10", { kind: "invalid" }],
    ["1".repeat(51), { kind: "invalid" }],
    ["0.0000000001", { kind: "finer", decimals: 9 }],
    ["0.", { kind: "zero" }],
    ["10.50", { kind: "amount", raw: 10_500_000_000n, text: "10.5" }],
    [".5", { kind: "amount", raw: 500_000_000n, text: "0.5" }],
    ["007", { kind: "amount", raw: 7_000_000_000n, text: "7" }],
    ["9007199.254740993", { kind: "amount", raw: 9007199254740993n, text: "9007199.254740993" }],
  ])("%j", (typed, parsed) => expect(parse(typed, 9)).toEqual(parsed));
});

describe("base units", () => {
  it("go to text and back without loss", () => {
    for (const raw of [0n, 1n, 999_999_999n, 1_000_000_000n, 123456789012345678901234567890n])
      expect(toRaw(fromRaw(raw, 9), 9)).toBe(raw);
  });

  it("are cut, never rounded up", () => {
    expect(toRaw("1.9999999999", 9)).toBe(1_999_999_999n);
    expect(toRaw("-0.5", 1)).toBe(-5n);
    expect(toRaw("none", 9)).toBeNull();
  });
});

describe("numbers of JSON", () => {
  it.each([
    [1e-9, "0.000000001"],
    [1.25e-7, "0.000000125"],
    [1e21, "1000000000000000000000"],
    [-2.5e-7, "-0.00000025"],
    [10.5, "10.5"],
    ["1.10", "1.10"],
  ])("%s is written %s", (value, text) => expect(plain(value)).toBe(text));
});

describe("products and ratios", () => {
  it("round down", () => {
    expect(times("10.5", "148.95", 6)).toBe(1_563_975_000n);
    expect(times("0.000000001", "0.5", 6)).toBe(0n);
    expect(ratio("100", "3", 4)).toBe("33.3333");
    expect(ratio("1", "0", 4)).toBeNull();
  });
});
