/** A movable border: what pointer and keys make of a size. */
import { describe, expect, it } from "vitest";
import { type Grows, dragged, keyed } from "./split";

const span = { value: 300, min: 200, max: 400 };

describe("a dragged border", () => {
  it.each<[Grows, number, number, number]>([
    ["right", 20, 7, 320],
    ["left", 20, 7, 280],
    ["up", 7, 20, 280],
    ["up", 7, -20, 320],
  ])("grows %s: by (%d, %d) it is %d", (grows, x, y, size) => {
    expect(dragged(span, grows, x, y)).toBe(size);
  });

  it("stays in its bounds and on whole pixels", () => {
    expect(dragged(span, "right", 5_000, 0)).toBe(400);
    expect(dragged(span, "right", -5_000, 0)).toBe(200);
    expect(dragged(span, "right", 10.4, 0)).toBe(310);
  });
});

describe("a border's keys", () => {
  it.each<[Grows, string, boolean, number]>([
    ["right", "ArrowRight", false, 308],
    ["right", "ArrowLeft", false, 292],
    ["left", "ArrowLeft", false, 308],
    ["left", "ArrowRight", true, 268],
    ["up", "ArrowUp", true, 332],
    ["up", "ArrowDown", false, 292],
    ["up", "Home", false, 200],
    ["left", "End", false, 400],
  ])("grows %s: %s (shift %s) makes it %d", (grows, key, shift, size) => {
    expect(keyed(span, grows, key, shift)).toBe(size);
  });

  it("stop at the bounds", () => {
    expect(keyed({ ...span, value: 396 }, "right", "ArrowRight", true)).toBe(400);
    expect(keyed({ ...span, value: 200 }, "right", "ArrowLeft", false)).toBe(200);
  });

  it.each<[Grows, string]>([
    ["right", "ArrowUp"],
    ["up", "ArrowLeft"],
    ["up", "Enter"],
    ["right", "a"],
  ])("grows %s: %s is not theirs", (grows, key) => {
    expect(keyed(span, grows, key, false)).toBeNull();
  });
});
