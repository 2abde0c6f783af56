/**
 * Commands about orders. Amounts and prices are decimal strings here; they travel as the JSON
 * numbers of the contract, digit by digit. Each order carries the key its form was given, so that
 * sending it again, for whatever reason, cannot make a second one.
 */
import { api, type Options, type Schema } from "./client";
import { exact } from "./exact";

/** An order as a form holds it. */
export interface Draft {
  pair: string;
  direction: "BUY" | "SELL";
  /** Base asset, decimal string. */
  amount: string;
  slippageBps?: number;
  limitPrice?: string | null;
  expiresAt?: string | null;
  priority?: Schema<"Priority">;
}

type Order = Schema<"OrderView">;

/** Ask what an order would come to; nothing is placed. */
export function previewOrder(draft: Draft, options?: Options): Promise<Schema<"PreviewView">> {
  return api.post("/api/orders/preview", written(draft), options);
}

/** Place an order; `key` is made once per form (`newKey`), `quoteId` names the preview seen. */
export function placeOrder(
  draft: Draft,
  { key, quoteId }: { key: string; quoteId?: string | null },
): Promise<Schema<"PlacedView">> {
  const body = { ...written(draft), ...(quoteId ? { quoteId } : {}) };
  return api.post("/api/orders", body, { headers: { "idempotency-key": key } });
}

/** Cancel an order; refused (`order.too_late`) once it is signed. */
export function cancelOrder(orderId: string): Promise<Order> {
  return api.del(`/api/orders/${encodeURIComponent(orderId)}`);
}

/** Return a new idempotency key; the desk keeps it for seven days. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID needs https
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function written(draft: Draft): object {
  const { amount, limitPrice, ...rest } = draft;
  return {
    ...rest,
    amount: exact(amount),
    ...(limitPrice ? { limitPrice: exact(limitPrice) } : {}),
  };
}
