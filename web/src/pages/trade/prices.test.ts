import { describe, expect, it, vi } from "vitest";

vi.mock("../../live/store", () => ({ live: { now: () => 0 } }));
vi.mock("../../live/useCell", () => ({ useCell: () => null }));
vi.mock("../../ui", () => ({ useNow: () => 0 }));

const { ageOf, joined } = await import("./prices");

function price(symbol: string, value: string, more: object = {}) {
  return {
    symbol,
    value,
    source: "kraken",
    confidence: "0.01",
    publishedAt: "",
    receivedAt: "",
    ageMs: 200,
    valid: true,
    validity: "VALID",
    agreementBps: null,
    sources: ["kraken"],
    rawIds: [],
    ...more,
  };
}

describe("a pair's price", () => {
  it("is quote per base, rounded down", () => {
    expect(joined(price("SOL", "148.95"), price("USDC", "0.9999"), 0).value).toBe("148.96489648");
  });

  it("is as good as the worse of both, and as old as the older", () => {
    const worse = price("USDC", "1", { validity: "STALE", valid: false, ageMs: 9_000 });
    const pair = joined(price("SOL", "148"), worse, 0);
    expect(pair).toMatchObject({ validity: "STALE", valid: false, ageMs: 9_000 });
  });

  it("is not known while one is missing", () => {
    expect(joined(price("SOL", "148"), null, 0)).toMatchObject({ value: null, ageMs: null, valid: false });
  });

  it("gets older while nothing new is heard, and never younger", () => {
    const told = price("SOL", "148");
    expect(ageOf(told, 1_000)).toBe(200);
    expect(ageOf(told, 6_000)).toBe(5_200);
    expect(ageOf(told, 500)).toBe(200);
  });
});
