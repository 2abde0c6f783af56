/** Orders in words: what a stage means, what a toast says, and a list brought up to live events. */
import { price } from "../../format";
import { plain } from "./amounts";
import type { OrderDoc, OrderEvent } from "./shapes";

export const ATTEMPTS_MAX = 3;
const UNFILLED = new Set(["FAILED", "CANCELLED"]);
const CANCELLABLE = new Set(["PENDING", "ROUTING", "BUILDING"]);

export function isOpen(status: string): boolean {
  return status !== "CONFIRMED" && !isUnfilled(status);
}

/** Whether an order ended without a fill: what it was once to trade at says nothing any more. */
export function isUnfilled(status: string): boolean {
  return UNFILLED.has(status);
}

/** Cancelling is possible only before anything was signed; the desk has the last word. */
export function isCancellable(status: string): boolean {
  return CANCELLABLE.has(status);
}

/** Name an order: "Buy 10.5 SOL". */
export function orderName(order: { direction: string; amount: string; pair: string }): string {
  const verb = order.direction === "BUY" ? "Buy" : "Sell";
  return `${verb} ${plain(order.amount)} ${order.pair.split("-")[0]}`;
}

type Told = Pick<OrderEvent, "status" | "attempt"> &
  Partial<Pick<OrderEvent, "waiting" | "outcome" | "error" | "executionPrice">>;

/** What an order that is not being executed now waits for. */
const WAITING: Record<string, string> = {
  price: "waiting for its price",
  liquidity: "waiting for liquidity: no pool fills its amount at its price",
  amount: "waiting: too small for every pool",
  halt: "waiting: trading is halted",
};

/** Say what is happening to an order, in a few words. */
export function stageWords(event: Told): string {
  const again = event.attempt > 1 ? ` (attempt ${event.attempt} of ${ATTEMPTS_MAX})` : "";
  switch (event.status) {
    case "PENDING":
      return WAITING[event.waiting ?? ""] ?? "queued";
    case "ROUTING":
      return WAITING[event.waiting ?? ""] ?? `comparing quotes${again}`;
    case "BUILDING":
      return `building and simulating the transaction${again}`;
    case "SUBMITTED":
      return event.outcome === "unknown"
        ? "the chain does not answer: outcome unknown, still watching"
        : `sent, waiting for the chain${again}`;
    case "CONFIRMED":
      return event.executionPrice ? `filled at ${price(plain(event.executionPrice))}` : "filled";
    case "FAILED":
      return event.error ? event.error.detail : "failed";
    case "CANCELLED":
      return "cancelled before anything was signed";
    default:
      return event.status;
  }
}

/** Return an order as its latest event leaves it; the document wins where it knows as much. */
export function current(order: OrderDoc, events: readonly OrderEvent[] | undefined): OrderDoc {
  const known = new Set(order.logs.map((event) => event.version));
  const later = (events ?? []).filter((event) => !known.has(event.version));
  if (later.length === 0) return order;
  const logs = [...order.logs, ...later].sort((a, b) => a.version - b.version);
  const last = logs.at(-1)!;
  if (last.version <= order.version) return { ...order, logs };
  return {
    ...order,
    logs,
    status: last.status,
    version: last.version,
    attempt: last.attempt,
    updatedAt: last.timestamp,
    executionPrice: last.executionPrice ?? order.executionPrice,
    txHash: last.txHash ?? order.txHash,
    waiting: last.waiting ?? null,
    outcome: last.outcome ?? null,
    error: last.error ?? null,
  };
}

/** Return an order as its events alone tell it; null where its first, with its terms, was not heard. */
export function heard(events: readonly OrderEvent[]): OrderDoc | null {
  const [first] = events;
  if (!first?.terms) return null;
  const { orderId, status, mode, version, attempt, timestamp, waiting, outcome, error } = first;
  const born = {
    ...first.terms,
    orderId, status, mode, version, attempt, waiting, outcome, error,
    createdAt: timestamp,
    updatedAt: timestamp,
    executionPrice: null,
    txHash: null,
    route: null,
    filled: null,
    logs: [first],
  };
  return current(born, events);
}

/** Return the orders heard of that are newer than any on a list, the newest first. */
export function unread(
  orders: readonly OrderDoc[],
  events: ReadonlyMap<string, readonly OrderEvent[]>,
  pair: string | undefined,
): OrderDoc[] {
  const known = new Set(orders.map((order) => order.orderId));
  const since = orders[0]?.createdAt ?? "";
  const found: OrderDoc[] = [];
  for (const [orderId, told] of events) {
    if (known.has(orderId) || told[0]!.timestamp < since) continue;
    const order = heard(told);
    if (order && (pair === undefined || order.pair === pair)) found.push(order);
  }
  return found.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}

/** Return whether some live order is not in the list yet, or has gone further than it. */
export function isBehind(
  orders: readonly OrderDoc[],
  events: ReadonlyMap<string, readonly OrderEvent[]>,
): boolean {
  const versions = new Map(orders.map((order) => [order.orderId, order.version]));
  for (const [id, told] of events) {
    const last = told.at(-1);
    if (last && last.version > (versions.get(id) ?? 0)) return true;
  }
  return false;
}
