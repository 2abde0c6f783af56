import { expect, test } from "vitest";
import { sparkPath } from "./spark";

test("fewer than two closes are no line", () => {
  expect([sparkPath([], 100, 20), sparkPath(["1"], 100, 20)]).toEqual(["", ""]);
});

test("the highest close touches the top, the lowest the foot, the ends the sides", () => {
  expect(sparkPath(["1", "3", "2"], 104, 24)).toBe("M2 22L52 2L102 12");
});

test("a market that did not move is a line in the middle", () => {
  expect(sparkPath(["1.0001", "1.0001"], 10, 20)).toBe("M2 10L8 10");
});
