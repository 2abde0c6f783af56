import { expect, test } from "vitest";
import { asked, filtersOf } from "./filters";

const NOW = Date.UTC(2026, 0, 31, 12, 0, 42);
const read = (query: string) => {
  const found = new URLSearchParams(query);
  return filtersOf((name) => found.get(name));
};

test("an address without filters asks for all", () => {
  expect(read("")).toEqual({ pair: null, venue: null, since: "all" });
  expect(asked(read(""), 50, NOW)).toEqual({ pair: null, venue: null, since: null, limit: 50 });
});

test("a period that does not exist is left out", () => {
  expect(read("since=2w&pair=")).toEqual({ pair: null, venue: null, since: "all" });
});

test("a period becomes a whole minute, and the rest is passed on", () => {
  expect(asked(read("since=7d&pair=SOL-USDC&venue=a > b"), 9, NOW)).toEqual({
    pair: "SOL-USDC",
    venue: "a > b",
    since: "2026-01-24T12:00:00.000Z",
    limit: 9,
  });
});
