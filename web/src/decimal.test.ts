import { describe, expect, test } from "vitest";
import { add, compare, div, fixed, isDecimal, mul, parse, plain, round, sub } from "./decimal";

/** A chance that is the same on every run (xorshift32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Decimals of every kind: long and short, negative, tiny, with exponents and needless zeros. */
function decimals(seed: number, count: number): string[] {
  const chance = numbers(seed);
  const digits = (most: number) =>
    Array.from({ length: 1 + Math.floor(chance() * most) }, () => Math.floor(chance() * 10)).join("");
  return Array.from({ length: count }, () => {
    const sign = chance() < 0.4 ? "-" : "";
    const fraction = chance() < 0.7 ? `.${digits(20)}` : "";
    const power = chance() < 0.2 ? `e${Math.floor(chance() * 20) - 10}` : "";
    return `${sign}${digits(22)}${fraction}${power}`;
  });
}

describe("arithmetic", () => {
  const some = decimals(7, 400);
  const pairs = some.slice(1).map((one, at) => [some[at] as string, one] as const);

  test("taking away what was added leaves what was there", () => {
    for (const [a, b] of pairs) expect(compare(sub(add(a, b), b), a)).toBe(0);
  });

  test("addition and multiplication do not mind the order, and multiplication distributes", () => {
    for (const [a, b] of pairs) {
      expect(add(a, b)).toBe(add(b, a));
      expect(mul(a, b)).toBe(mul(b, a));
      expect(mul(a, add(b, "1.5"))).toBe(add(mul(a, b), mul(a, "1.5")));
    }
  });

  test("the order of numbers is that of their difference, and turns with the sign", () => {
    for (const [a, b] of pairs) {
      expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)));
      expect(compare(a, add(a, "0.000000000000000000000000000001"))).toBe(-1);
    }
  });

  test("a floored quotient is the largest that fits", () => {
    for (const [a, b] of pairs) {
      if (compare(b, "0") <= 0) continue;
      const quotient = div(a, b, 8);
      expect(compare(mul(quotient, b), a)).toBeLessThanOrEqual(0);
      expect(compare(mul(add(quotient, "0.00000001"), b), a)).toBe(1);
    }
  });

  test("rounding is never more than one of the last place away, and floor never above", () => {
    for (const one of some) {
      const floor = round(one, 4);
      expect(compare(floor, one)).toBeLessThanOrEqual(0);
      expect(compare(sub(one, floor), "0.0001")).toBe(-1);
      const half = round(one, 4, "half");
      expect(compare(sub(one, half).replace("-", ""), "0.00005")).toBeLessThanOrEqual(0);
    }
  });

  test("what is written plainly is read as the same", () => {
    for (const one of some) {
      const value = parse(one);
      expect(value).not.toBeNull();
      if (value) expect(compare(plain(value), one)).toBe(0);
    }
  });
});

describe("numbers that JavaScript's own get wrong", () => {
  test.each([
    [add("0.1", "0.2"), "0.3"],
    [mul("0.1", "3"), "0.3"],
    [add("9007199254740993", "0.000000001"), "9007199254740993.000000001"],
    [sub("1", "0.999999999999999999"), "0.000000000000000001"],
    [div("1", "3", 20), "0.33333333333333333333"],
    [div("-1", "3", 2), "-0.34"],
    [div("-1", "3", 2, "truncate"), "-0.33"],
    [div("2", "3", 2, "half"), "0.67"],
    [div("1e-9", "1e9", 18), "0.000000000000000001"],
    [round("1.005", 2, "half"), "1.01"],
    [round("-1.005", 2, "half"), "-1.01"],
    [round("-0.001", 2, "truncate"), "0"],
  ])("%s", (told, expected) => expect(told).toBe(expected));
});

describe("reading", () => {
  test.each(["", " ", ".", "-", "1,000", "0x10", "1e", "NaN", "Infinity", "1.2.3", "1e999", "9".repeat(201)])(
    "%j is no decimal",
    (text) => {
      expect(parse(text)).toBeNull();
      expect(isDecimal(text)).toBe(false);
    },
  );

  test.each([
    ["1E+2", "100"],
    ["1e-3", "0.001"],
    ["+5.", "5"],
    [".5", "0.5"],
    ["-0.000", "0"],
    ["007.50", "7.5"],
    ["\u22121.5", "-1.5"],
  ])("%s is %s", (text, expected) => {
    const value = parse(text);
    expect(value && plain(value)).toBe(expected);
  });

  test("whoever calculates with something else is told", () => {
    expect(() => add("1", "x")).toThrow(RangeError);
    expect(() => div("1", "0.0", 2)).toThrow(RangeError);
  });

  test("exactly so many decimals", () => {
    expect(fixed({ digits: 15n, scale: 1 }, 3)).toBe("1.500");
    expect(fixed({ digits: -5n, scale: 3 }, 2, "floor")).toBe("-0.01");
    expect(fixed({ digits: 199n, scale: 2 }, 0)).toBe("1");
  });
});
