import { expect, test } from "vitest";
import { drawn, scale, spanOf, tickText, ticks } from "./plot";

test("what is not known is not drawn at zero", () => {
  expect([drawn(null), drawn(undefined), drawn(""), drawn("x")]).toEqual([null, null, null, null]);
  expect([drawn("0"), drawn("-1.5")]).toEqual([0, -1.5]);
});

test("a span holds zero and has air, also when there is nothing or all is one value", () => {
  for (const values of [[], [0], [3], [-3], [5, 9], [-2, 7]]) {
    const [low, high] = spanOf(values);
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
    for (const value of values) expect(value > low && value < high).toBe(true);
  }
});

test("a scale maps the ends to the ends, also downwards", () => {
  const down = scale([-10, 10], 100, 0);
  expect([down(-10), down(0), down(10)]).toEqual([100, 50, 0]);
});

test("ticks are round, inside, in order, and no more than asked for", () => {
  for (const span of [[-1.06, 1.06], [-0.03, 0.8], [-120, 999], [0, 3]] as const) {
    const found = ticks(span, 5);
    expect(found.length).toBeGreaterThan(1);
    expect(found.length).toBeLessThanOrEqual(6);
    expect(found.every((at) => at >= span[0] && at <= span[1])).toBe(true);
    expect([...found].sort((a, b) => a - b)).toEqual(found);
    expect(found.every((at) => String(at).length <= 6)).toBe(true);
  }
  expect(ticks([-1.06, 1.06], 4)).toEqual([-1, 0, 1]);
});

test("a tick below zero has the real minus sign", () => {
  expect([tickText(-2), tickText(0), tickText(0.5)]).toEqual(["−2", "0", "0.5"]);
});
