/** Orders as flat rows for export; every number as the server wrote it. */
import { plain } from "./amounts";
import { routeOf, type OrderDoc } from "./shapes";

export function orderCells(order: OrderDoc): Record<string, unknown> {
  return {
    orderId: order.orderId,
    createdAt: order.createdAt,
    updatedAt: order.updatedAt,
    pair: order.pair,
    direction: order.direction,
    amount: plain(order.amount),
    limitPrice: order.limitPrice == null ? null : plain(order.limitPrice),
    slippageBps: order.slippageBps,
    priority: order.priority ?? null,
    status: order.status,
    attempt: order.attempt,
    executionPrice: order.executionPrice == null ? null : plain(order.executionPrice),
    txHash: order.txHash ?? null,
    error: order.error?.code ?? null,
    mode: order.mode,
  };
}

export function fillCells(order: OrderDoc): Record<string, unknown> {
  return {
    orderId: order.orderId,
    filledAt: order.updatedAt,
    pair: order.pair,
    direction: order.direction,
    base: order.filled?.base ?? null,
    quote: order.filled?.quote ?? null,
    price: order.executionPrice == null ? null : plain(order.executionPrice),
    networkFeeLamports: order.filled?.networkFeeLamports ?? null,
    platformFee: order.filled?.platformFee ?? null,
    venues: venuesOf(order),
    txHash: order.txHash ?? null,
    mode: order.mode,
  };
}

/** Name the venues of an order's route: "raydium 60 % + meteora 40 %" without the shares. */
export function venuesOf(order: OrderDoc): string {
  return [...new Set(routeOf(order.route)?.legs.map((leg) => leg.venue) ?? [])].join(" + ");
}
