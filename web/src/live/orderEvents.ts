/**
 * Events of the caller's orders since this page began, by order; nothing is left out or folded.
 *
 * A snapshot tells the open orders whole: one that was open here and is not in it has ended unheard,
 * and its document (REST) tells how. Only the oldest ended orders are forgotten, past a bound.
 */
import type { EventView } from "./messages";

const ORDERS_MAX = 1_000;
const EVENTS_MAX = 500; // of one order: three attempts have a few dozen
const ENDED: ReadonlySet<string> = new Set(["CONFIRMED", "FAILED", "CANCELLED"]);

export type Orders = ReadonlyMap<string, readonly EventView[]>;

/** Return whether nothing more can happen after this event. */
export function hasEnded(event: EventView | undefined): boolean {
  return event !== undefined && ENDED.has(event.status);
}

export class OrderEvents {
  #orders = new Map<string, readonly EventView[]>();

  /** Return a copy: who watches tells by it that something changed. */
  get all(): Orders {
    return new Map(this.#orders);
  }

  /** Take an event; return whether it is news, and whether one before it is missing. */
  take(event: EventView): { news: boolean; gap: boolean } {
    const before = this.#orders.get(event.orderId) ?? [];
    const last = before.at(-1)?.version ?? 0;
    if (event.version <= last) return { news: false, gap: false };
    this.#orders.delete(event.orderId); // what changed last stands last
    this.#orders.set(event.orderId, [...before, event].slice(-EVENTS_MAX));
    this.#bound();
    return { news: true, gap: event.version > last + 1 };
  }

  /** Take the open orders whole; return what is new of those that were known before. */
  replace(events: readonly EventView[]): EventView[] {
    const told = new Map<string, EventView[]>();
    for (const event of events) {
      const held = told.get(event.orderId);
      if (held) held.push(event);
      else told.set(event.orderId, [event]);
    }
    const news: EventView[] = [];
    const orders = new Map<string, readonly EventView[]>();
    for (const [orderId, held] of this.#orders) {
      if (!told.has(orderId) && hasEnded(held.at(-1))) orders.set(orderId, held);
    }
    for (const [orderId, held] of told) {
      held.sort((a, b) => a.version - b.version);
      const known = this.#orders.get(orderId)?.at(-1)?.version;
      if (known !== undefined) news.push(...held.filter((event) => event.version > known));
      orders.set(orderId, held.slice(-EVENTS_MAX));
    }
    this.#orders = orders;
    this.#bound();
    return news;
  }

  clear(): void {
    this.#orders = new Map();
  }

  /** Forget those that ended first; open ones only if there are no others. */
  #bound(): void {
    while (this.#orders.size > ORDERS_MAX) {
      let oldest = this.#orders.keys().next().value as string;
      for (const [orderId, events] of this.#orders) {
        if (!hasEnded(events.at(-1))) continue;
        oldest = orderId;
        break;
      }
      this.#orders.delete(oldest);
    }
  }
}
