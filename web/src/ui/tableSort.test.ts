import { expect, test } from "vitest";
import { type SortValue, nextSorting, sorted } from "./tableSort";

const order = (keys: SortValue[], down = false) => sorted(keys, (key) => key, down);

test("exact decimals by their value, far past what a float holds", () => {
  const keys = ["10", "9.5", "-3", "9007199254740993.1", "9007199254740993.05"];
  expect(order(keys)).toEqual(["-3", "9.5", "10", "9007199254740993.05", "9007199254740993.1"]);
});

test("words as words, numbers as numbers", () => {
  expect(order(["b", "a"])).toEqual(["a", "b"]);
  expect(order([10, 9], true)).toEqual([10, 9]);
});

test("what is not known goes last, whichever way", () => {
  expect(order([null, "2", "", "1", undefined])).toEqual(["1", "2", null, "", undefined]);
  expect(order([null, "2", "", "1", undefined], true)).toEqual(["2", "1", null, "", undefined]);
});

test("equals stay as they came, whichever way", () => {
  const rows = [
    { id: 1, key: "a" },
    { id: 2, key: "a" },
  ];
  expect(sorted(rows, (row) => row.key, true)).toEqual(rows);
});

test("a head goes up, down, and back to as it came", () => {
  const up = nextSorting(null, "price");
  expect(up).toEqual({ id: "price", down: false });
  expect(nextSorting(up, "price")).toEqual({ id: "price", down: true });
  expect(nextSorting({ id: "price", down: true }, "price")).toBeNull();
  expect(nextSorting({ id: "age", down: true }, "price")).toEqual({ id: "price", down: false });
});
