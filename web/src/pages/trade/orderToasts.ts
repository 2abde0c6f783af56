/**
 * One toast per order placed in this tab, changed in place as the desk tells more of it.
 *
 * It goes on after the trade page is left, and says nothing that the desk has not said.
 */
import { live } from "../../live/store";
import { type ToastKind, toast } from "../../ui";
import { isOpen, stageWords } from "./orderWords";
import type { OrderEvent } from "./shapes";

const KEPT_MAX = 200;
const own = new Map<string, string>();
let listening = false;

/** Follow an order that was just placed; `name` is "Buy 10.5 SOL". */
export function follow(orderId: string, name: string): void {
  own.set(orderId, name);
  if (own.size > KEPT_MAX) own.delete(own.keys().next().value!);
  if (!listening) live.onOrder(tell);
  listening = true;
  const told = live.orders.get().get(orderId);
  if (told?.length) for (const event of told) tell(event);
  else toast(orderId, { kind: "busy", title: name, text: "PENDING: queued", href: `/orders/${orderId}` });
}

function tell(event: OrderEvent): void {
  const name = own.get(event.orderId);
  if (name === undefined) return;
  if (!isOpen(event.status)) own.delete(event.orderId);
  toast(event.orderId, {
    kind: kindOf(event),
    title: name,
    text: `${event.status}: ${stageWords(event)}`,
    href: `/orders/${event.orderId}`,
  });
}

function kindOf(event: OrderEvent): ToastKind {
  if (event.status === "CONFIRMED") return "good";
  if (event.status === "FAILED") return "bad";
  return event.status === "CANCELLED" || event.waiting ? "info" : "busy";
}
