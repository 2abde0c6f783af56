import { describe, expect, it } from "vitest";
import { othersOf, routeOf, wayOf } from "./shapes";

const ROUTE = routeOf({
  legs: [],
  alternatives: [
    { kind: "pool", name: "raydium CLMM", plan: "raydium CLMM", worseBps: "0.00" },
    { kind: "pool", name: "meteora DLMM", plan: "meteora DLMM", worseBps: "18.23" },
    { kind: "venue", name: "meteora alone", plan: "a split over 3 legs", worseBps: "-1.05" },
    { kind: "floor", name: "binance", error: { code: "quotes.none", detail: "it does not answer" } },
  ],
})!;

describe("other ways to trade", () => {
  it("leave out the chosen way itself, under whatever name", () => {
    expect(othersOf(ROUTE).map((one) => one.name)).toEqual(["meteora DLMM", "meteora alone", "binance"]);
  });

  it("are named by what they stand for, with their legs where those say more", () => {
    expect(othersOf(ROUTE).map(wayOf)).toEqual(["meteora DLMM", "meteora alone (a split over 3 legs)", "binance"]);
  });
});
