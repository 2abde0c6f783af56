import { expect, test } from "vitest";
import { cellOf, columnsOf, freshest, safeLink, symbolsOf } from "./grid";
import type { FeedView, MarketView, PriceView, SourceHealth } from "./shapes";

const market = (pair: string) => ({ base: pair.split("-")[0], quote: pair.split("-")[1] }) as MarketView;
const feed = (symbol: string, source: string, currency: string, counted = true) => ({ symbol, source, currency, counted }) as FeedView;
const price = (value: string, receivedAt: string, ageMs: number, validity = "VALID") =>
  ({ value, receivedAt, ageMs, validity }) as PriceView;

test("each asset stands once, what is traded before what it is paid in", () => {
  expect(symbolsOf(["SOL-USDC", "SOL-USDT", "USDT-USDC"].map(market))).toEqual(["SOL", "USDT", "USDC"]);
});

test("a source that should speak and does not has its column; news has none", () => {
  const sources = [{ name: "pyth" }, { name: "binance" }, { name: "rss" }] as SourceHealth[];
  expect(columnsOf([feed("SOL", "binance", "USDT")], sources, new Set(["rss"]))).toEqual(["binance", "pyth"]);
});

test("a cell holds one feed of each currency: the one that counts, else the best", () => {
  const feeds = [
    { ...feed("SOL", "b", "USDT", false), kind: "quote" },
    { ...feed("SOL", "b", "USDT"), kind: "trade" },
    { ...feed("SOL", "b", "USDC", false), kind: "trade" },
    { ...feed("SOL", "b", "USDC", false), kind: "quote" },
    feed("SOL", "p", "USD"),
    feed("BTC", "b", "USDT"),
  ];
  expect(cellOf(feeds, "SOL", "b").map((each) => [each.currency, each.kind])).toEqual([
    ["USDC", "quote"],
    ["USDT", "trade"],
  ]);
  expect(cellOf(feeds, "ETH", "b")).toEqual([]);
});

test("a price that came as valid and was not followed by another is shown as the desk sees it now", () => {
  const [came, read] = [price("1", "12:00:00", 10), price("1", "12:00:00", 12_000, "STALE")];
  expect(freshest(came, read)?.validity).toBe("STALE");
  expect(freshest(price("2", "12:00:13", 5), read)).toMatchObject({ value: "2", validity: "VALID" });
  expect(freshest(came, price("3", "12:00:09", 0))).toMatchObject({ value: "3" });
  expect([freshest(null, undefined), freshest(null, read), freshest(came, undefined)]).toEqual([null, read, came]);
});

test("only web addresses are links", () => {
  expect(safeLink("https://example.com/a?b=1")).toBe("https://example.com/a?b=1");
  for (const url of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.com", "", "x"])
    expect(safeLink(url)).toBeNull();
});
