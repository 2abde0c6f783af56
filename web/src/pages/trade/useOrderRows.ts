/** Orders for the tabs: pages of the desk's list, each row brought up to the live events, new ones first. */
import { useEffect, useMemo } from "react";
import { type OrdersQuery, queryClient, useOrderPages } from "../../api/queries";
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { current, unread } from "./orderWords";
import type { OrderDoc } from "./shapes";

const GATHER_MS = 150;

/** Return the rows of a filter, newest first, and how to get more. */
export function useOrderRows(query: OrdersQuery) {
  const pages = useOrderPages({ limit: 50, ...query });
  const events = useCell(live.orders);
  const { status, pair } = query;
  const rows = useMemo<OrderDoc[]>(() => {
    if (!pages.data) return [];
    const orders = pages.data.pages.flatMap((page) => page.orders);
    const now = orders.map((order) => current(order, events.get(order.orderId)));
    // What is new stands on the list before it is read; which status it has when read, nobody knows.
    return status ? now : [...unread(orders, events, pair), ...now];
  }, [pages.data, events, status, pair]);
  return { rows, pages };
}

/** Read the lists anew when an order is new, ends, or was changed elsewhere: at once, then a burst in one read. */
export function useOrdersKeptFresh(): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let restsUntil = 0;
    const end = live.onOrder(() => {
      const wait = Math.max(0, restsUntil - performance.now());
      timer ??= setTimeout(() => {
        timer = undefined;
        restsUntil = performance.now() + GATHER_MS;
        void queryClient.invalidateQueries({ queryKey: ["/api/orders"] });
        void queryClient.invalidateQueries({
          predicate: ({ queryKey: [path] }) => typeof path === "string" && path.endsWith("/balances"),
        });
      }, wait);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  }, []);
}
