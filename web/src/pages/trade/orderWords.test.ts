import { describe, expect, it } from "vitest";
import { current, isBehind, isCancellable, isOpen, orderName, stageWords, unread } from "./orderWords";
import type { OrderDoc, OrderEvent } from "./shapes";

function event(version: number, status: string, more: Partial<OrderEvent> = {}): OrderEvent {
  return {
    orderId: "o1",
    status,
    timestamp: `2026-01-01T00:00:0${version}.000Z`,
    version,
    attempt: 1,
    mode: "localnet",
    executionPrice: null,
    txHash: null,
    waiting: null,
    outcome: null,
    error: null,
    terms: null,
    ...more,
  };
}

const ORDER = {
  orderId: "o1",
  pair: "SOL-USDC",
  amount: "10.5",
  direction: "BUY",
  status: "PENDING",
  version: 1,
  attempt: 1,
  logs: [event(1, "PENDING")],
} as OrderDoc;

describe("an order and what was heard of it since", () => {
  it("is as the last event leaves it", () => {
    const now = current(ORDER, [
      event(1, "PENDING"),
      event(2, "ROUTING"),
      event(3, "SUBMITTED", { txHash: "5J7", executionPrice: "148.9" }),
    ]);
    expect(now).toMatchObject({ status: "SUBMITTED", version: 3, txHash: "5J7", executionPrice: "148.9" });
    expect(now.logs.map((one) => one.version)).toEqual([1, 2, 3]);
  });

  it("keeps the transaction when a later event does not repeat it, and drops what has passed", () => {
    const sent = current({ ...ORDER, txHash: "5J7", waiting: "price" }, [event(2, "ROUTING")]);
    expect(sent).toMatchObject({ txHash: "5J7", waiting: null });
  });

  it("is left alone by events it knows, however often they come", () => {
    expect(current(ORDER, [event(1, "PENDING"), event(1, "PENDING")])).toBe(ORDER);
    expect(current(ORDER, undefined)).toBe(ORDER);
  });

  it("never goes back", () => {
    const done = { ...ORDER, status: "CONFIRMED", version: 5, logs: [event(5, "CONFIRMED")] };
    expect(current(done, [event(2, "ROUTING")]).status).toBe("CONFIRMED");
  });
});

describe("orders that were heard of and not read yet", () => {
  const terms = {
    pair: "BTC-USDC",
    amount: "0.5",
    direction: "SELL",
    slippageBps: 50,
    limitPrice: null,
    expiresAt: null,
    priority: null,
  };
  const told = (orderId: string, at: number) => [
    event(1, "PENDING", { orderId, terms, timestamp: `2026-01-01T00:01:0${at}.000Z` }),
    event(2, "ROUTING", { orderId }),
  ];
  const events = new Map([
    ["new", told("new", 1)],
    ["newest", told("newest", 2)],
    ["o1", [event(1, "PENDING", { terms })]],
    ["unheard", [event(4, "SUBMITTED", { orderId: "unheard" })]],
  ]);
  const listed = { ...ORDER, createdAt: "2026-01-01T00:00:30.000Z" };

  it("stand as their events tell them, the newest first", () => {
    const found = unread([listed], events, undefined);
    expect(found.map((order) => order.orderId)).toEqual(["newest", "new"]);
    expect(found[1]).toMatchObject({ pair: "BTC-USDC", amount: "0.5", direction: "SELL", status: "ROUTING", version: 2 });
  });

  it("are those of the market asked for, and none that is older than the list", () => {
    expect(unread([listed], events, "SOL-USDC")).toEqual([]);
    expect(unread([{ ...listed, createdAt: "2026-01-01T00:01:01.500Z" }], events, undefined)).toHaveLength(1);
    expect(unread([], events, undefined).map((order) => order.orderId)).toEqual(["newest", "new", "o1"]);
  });
});

describe("a list of orders", () => {
  it("is behind when an order is new or has moved", () => {
    expect(isBehind([ORDER], new Map([["o1", [event(1, "PENDING")]]]))).toBe(false);
    expect(isBehind([ORDER], new Map([["o1", [event(2, "ROUTING")]]]))).toBe(true);
    expect(isBehind([ORDER], new Map([["o2", [event(1, "PENDING")]]]))).toBe(true);
  });
});

describe("words", () => {
  it("say what is going on", () => {
    expect(orderName({ direction: "SELL", amount: "1e-9", pair: "SOL-USDC" })).toBe("Sell 0.000000001 SOL");
    expect(stageWords(event(1, "PENDING", { waiting: "price" }))).toBe("waiting for its price");
    expect(stageWords(event(1, "PENDING", { waiting: "liquidity" }))).toContain("liquidity");
    expect(stageWords(event(1, "PENDING", { waiting: "amount" }))).toContain("too small");
    expect(stageWords(event(3, "ROUTING", { waiting: "halt" }))).toContain("halted");
    expect(stageWords(event(3, "ROUTING", { attempt: 2, waiting: "retry" }))).toContain("attempt 2");
    expect(stageWords(event(1, "PENDING"))).toBe("queued");
    expect(stageWords(event(4, "ROUTING", { attempt: 2 }))).toContain("attempt 2 of 3");
    expect(stageWords(event(4, "SUBMITTED", { outcome: "unknown" }))).toContain("unknown");
    const error = { code: "slippage.exceeded", detail: "the price moved", retryable: true };
    expect(stageWords(event(4, "FAILED", { error }))).toBe("the price moved");
  });

  it("know what is open and what may be cancelled", () => {
    expect(["PENDING", "ROUTING", "BUILDING", "SUBMITTED"].every(isOpen)).toBe(true);
    expect(["CONFIRMED", "FAILED", "CANCELLED"].some(isOpen)).toBe(false);
    expect(["SUBMITTED", "CONFIRMED"].some(isCancellable)).toBe(false);
  });
});
