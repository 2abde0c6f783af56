import { describe, expect, test } from "vitest";
import * as format from "./format";

describe("money", () => {
  test.each([
    // Down: never more than there is.
    ["1.239", 2, "1.23"],
    ["0.999999999", 2, "0.99"],
    ["-1.231", 2, "−1.24"],
    ["1234567.891", 2, "1,234,567.89"],
    ["-1234.5", 2, "−1,234.50"],
    ["5", 2, "5.00"],
    ["0", 2, "0.00"],
    ["-0.000", 2, "0.00"],
    ["1E+3", 0, "1,000"],
    // Smaller than what is shown: told by its digits, never as zero.
    ["0.004", 2, "0.004"],
    ["0.00001239", 2, "0.0₄123"],
    ["-0.00000000012", 2, "−0.0₉12"],
    [`0.${"0".repeat(17)}1`, 6, "0.0₁₇1"],
    ["0.000100", 2, "0.0001"],
  ])("%s with %i decimals is %s", (text, decimals, expected) => {
    expect(format.money(text, decimals)).toBe(expected);
  });

  test.each([
    ["10.5", "10.5"],
    ["10.500000000", "10.5"],
    ["0.123456789", "0.12345678"],
    ["123456789012345678901234567890.12", "123,456,789,012,345,678,901,234,567,890.12"],
  ])("without decimals %s is %s", (text, expected) => {
    expect(format.money(text)).toBe(expected);
  });

  test("unknown is a dash, and no number is unknown", () => {
    for (const text of [null, undefined, "", "x"]) expect(format.money(text)).toBe("—");
    expect(new Set([format.UNKNOWN, format.NONE, format.INFINITE]).size).toBe(3);
  });

  test("a minus is a real one", () => {
    expect(format.money("-5", 0)).toBe("\u22125");
    expect(format.usd("-5")).toBe("\u2212$5.00");
    expect(format.pct("-5")).toBe("\u22120.05%");
  });
});

describe("dollars, prices, sizes", () => {
  test.each([
    [format.usd("1234.567"), "$1,234.56"],
    [format.usd("0.0000123"), "$0.0₄123"],
    [format.usd("-0.001"), "−$0.001"],
    [format.usd(null), "—"],
    // Prices go to the nearest.
    [format.price("142.3755", "0.01"), "142.38"],
    [format.price("142.375", "1"), "142"],
    [format.price("93412.557"), "93,412.56"],
    [format.price("142.37101"), "142.371"],
    [format.price("0.99981249"), "0.999812"],
    [format.price("0.0012345678"), "0.00123457"],
    [format.price("0.00001234567"), "0.0₄123456"],
    [format.price("0"), "0.00"],
    [format.price(undefined), "—"],
    [format.size("10.50"), "10.5"],
    [format.size("0.1234567"), "0.123456"],
    [format.size("1234567.891"), "1,234,567.89"],
    [format.size("0.000000001"), "0.0₈1"],
    [format.full("0.000000001000"), "0.000000001"],
    [format.full("-1234567.5"), "-1234567.5"],
  ])("%s", (told, expected) => expect(told).toBe(expected));
});

describe("basis points", () => {
  test.each([
    [format.pct("125"), "1.25%"],
    [format.pct(125), "1.25%"],
    [format.pct("12.5"), "0.13%"],
    [format.pct("0.1"), "0.001%"],
    [format.pct("0"), "0.00%"],
    [format.pct(null), "—"],
    [format.bps("12.54"), "12.5 bps"],
    [format.bps("12"), "12 bps"],
    [format.bps("0.01"), "0.01 bps"],
    [format.bps(null), "—"],
  ])("%s", (told, expected) => expect(told).toBe(expected));
});

describe("time", () => {
  test.each([
    [-50, "0.0 s"],
    [0, "0.0 s"],
    [449, "0.4 s"],
    [9_999, "9.9 s"],
    [10_000, "10 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_600_000, "1 h"],
    [47 * 3_600_000, "47 h"],
    [49 * 3_600_000, "2 d"],
    [null, "—"],
    [Number.NaN, "—"],
  ])("%s ms are %s", (ms, expected) => expect(format.age(ms)).toBe(expected));

  test("a moment here, and in UTC", () => {
    const at = new Date(2026, 0, 31, 4, 5, 6, 789); // local, wherever this runs
    expect(format.time(at.toISOString())).toBe("04:05:06");
    expect(format.dateTime(at.getTime())).toBe("2026-01-31 04:05:06");
    expect(format.utc("2026-01-31T12:00:00.123Z")).toBe("2026-01-31 12:00:00.123 UTC");
    for (const none of [null, undefined, "", "yesterday"]) expect(format.dateTime(none)).toBe("—");
  });
});

test.each([
  ["7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU", "7xKX…gAsU"],
  ["0x52908400098527886E0F7030069857D2E4169EE7", "0x5290…9EE7"],
  ["short", "short"],
  ["", "—"],
  [null, "—"],
])("the address %s is shown as %s", (address, expected) => {
  expect(format.shortAddress(address)).toBe(expected);
});
