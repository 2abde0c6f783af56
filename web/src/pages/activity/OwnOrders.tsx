/** What became of one's own orders, state by state: what the desk tells everybody of their own. */
import { useMemo } from "react";
import type { Schema } from "../../api/client";
import { stageWords } from "../trade/orderWords";
import { Button, Chip, Download, Empty, Panel, Table } from "../../ui";
import { Link } from "./address";
import { Loaded } from "./Loaded";
import { PackButton } from "./PackButton";
import { useOwnOrders } from "./reads";
import { When } from "./timelineColumns";

type Order = Schema<"OrderView">;
type Event = Schema<"EventView">;

interface Step {
  order: Order;
  event: Event;
}

const ENDED: Record<string, "good" | "bad" | "quiet"> = { CONFIRMED: "good", FAILED: "bad", CANCELLED: "quiet" };

export function OwnOrders() {
  const found = useOwnOrders();
  const pages = found.data?.pages;
  const steps = useMemo(
    () =>
      pages
        ?.flatMap((page) => page.orders)
        .flatMap((order) => order.logs.map((event) => ({ order, event })))
        .sort(newest),
    [pages],
  );
  return (
    <Panel title="Your orders" flush actions={<Download name="orders-activity" rows={(steps ?? []).map(exported)} />}>
      <Loaded query={{ ...found, data: steps }} permission="orders:read" rows={10}>
        {(rows) => (
          <Table
            caption="States of your orders, newest first"
            rows={rows}
            rowKey={({ event }) => `${event.orderId}:${event.version}`}
            empty={
              <Empty title="You have placed no order yet.">
                <Link to="/">Place the first on the trade page</Link>
              </Empty>
            }
            columns={[
              { id: "at", head: "When", cell: ({ event }) => <When at={event.timestamp} /> },
              { id: "order", head: "Order", cell: ({ order }) => <Named order={order} /> },
              { id: "state", head: "State", cell: ({ event }) => <State event={event} /> },
              {
                id: "why",
                head: "Why",
                hideBelow: 900,
                cell: ({ event }) => <span className="activity-wrap">{event.error?.detail}</span>,
              },
              {
                id: "pack",
                head: "Proof",
                hideBelow: 560,
                cell: ({ order, event }) =>
                  event.status in ENDED && <PackButton small orderId={order.orderId} />,
              },
            ]}
          />
        )}
      </Loaded>
      {found.hasNextPage && (
        <div className="activity-more">
          <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Older orders
          </Button>
        </div>
      )}
    </Panel>
  );
}

function newest(a: Step, b: Step): number {
  if (a.event.timestamp !== b.event.timestamp) return a.event.timestamp < b.event.timestamp ? 1 : -1;
  return b.event.version - a.event.version;
}

function Named({ order }: { order: Order }) {
  return (
    <Link to={`/orders/${order.orderId}`} className="num" title={order.orderId}>
      {order.direction} {order.amount} {order.pair}
    </Link>
  );
}

function State({ event }: { event: Event }) {
  return (
    <span className="activity-what">
      <Chip kind={ENDED[event.status] ?? "info"}>{event.status}</Chip>
      {event.attempt > 1 && <span className="quiet">attempt {event.attempt}</span>}
      {event.outcome === "unknown" && <Chip kind="warn">outcome unknown</Chip>}
      {event.waiting && <span className="quiet">{stageWords(event)}</span>}
      {event.error && <code className="warn">{event.error.code}</code>}
    </span>
  );
}

function exported({ order, event }: Step): Record<string, unknown> {
  return {
    at: event.timestamp,
    orderId: order.orderId,
    pair: order.pair,
    direction: order.direction,
    amount: order.amount,
    version: event.version,
    attempt: event.attempt,
    status: event.status,
    executionPrice: event.executionPrice,
    txHash: event.txHash,
    code: event.error?.code,
    detail: event.error?.detail,
  };
}
