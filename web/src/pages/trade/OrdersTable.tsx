/** Orders as rows: how far each has come, why one failed, and what can be done about it. */
import type { ReactNode } from "react";
import { cancelOrder } from "../../api/orders";
import { queryClient } from "../../api/queries";
import { useCan } from "../../api/session";
import { dateTime, price, size, time } from "../../format";
import { Link, navigate, setQuery } from "../../shell/router";
import { Address, Button, Chip, type ChipKind, type Column, StageStepper, Table, toast } from "../../ui";
import { plain } from "./amounts";
import { ATTEMPTS_MAX, isCancellable, isUnfilled, orderName, stageWords } from "./orderWords";
import type { OrderDoc } from "./shapes";

const KINDS: Record<string, ChipKind> = { CONFIRMED: "good", FAILED: "bad", CANCELLED: "quiet" };

export function OrdersTable(props: { caption: string; orders: readonly OrderDoc[]; empty: ReactNode }) {
  return (
    <Table<OrderDoc>
      caption={props.caption}
      columns={COLUMNS}
      rows={props.orders}
      rowKey={(order) => order.orderId}
      onRow={(order) => navigate(`/orders/${order.orderId}`)}
      empty={props.empty}
    />
  );
}

const COLUMNS: readonly Column<OrderDoc>[] = [
  {
    id: "at",
    head: "Placed",
    hideBelow: 720,
    cell: (order) => (
      <time className="num" dateTime={order.createdAt} title={`${dateTime(order.createdAt)} · ${order.createdAt}`}>
        {time(order.createdAt)}
      </time>
    ),
  },
  { id: "order", head: "Order", cell: (order) => <Named order={order} /> },
  { id: "stage", head: "Stage", cell: (order) => <Stage order={order} /> },
  {
    id: "price",
    head: "Price",
    align: "right",
    hideBelow: 480,
    cell: (order) => <span className="num">{price(isUnfilled(order.status) ? null : order.executionPrice)}</span>,
  },
  {
    id: "tx",
    head: "Transaction",
    hideBelow: 900,
    cell: (order) => (order.txHash ? <Address kind="tx" value={order.txHash} /> : <span className="quiet">not sent</span>),
  },
  { id: "do", head: <span className="sr-only">Actions</span>, align: "right", cell: (order) => <Actions order={order} /> },
];

function Named({ order }: { order: OrderDoc }) {
  const buys = order.direction === "BUY";
  return (
    <span className="trade-named">
      <span>
        <span className={buys ? "up" : "down"}>{buys ? "Buy" : "Sell"}</span>{" "}
        <span className="num" title={plain(order.amount)}>
          {size(plain(order.amount))}
        </span>{" "}
        <Link to={`/orders/${order.orderId}`}>{order.pair}</Link>
      </span>
      {order.limitPrice != null && (
        <span className="quiet num">
          limit {price(plain(order.limitPrice))}
        </span>
      )}
    </span>
  );
}

function Stage({ order }: { order: OrderDoc }) {
  const words = stageWords(order);
  return (
    <span className="trade-stage">
      <span className="trade-stage-line">
        <StageStepper events={order.logs} status={order.status} small />
        <Chip kind={order.outcome === "unknown" ? "warn" : (KINDS[order.status] ?? "info")}>{order.status}</Chip>
        {order.attempt > 1 && (
          <span className="quiet num">
            attempt {order.attempt}/{ATTEMPTS_MAX}
          </span>
        )}
      </span>
      {order.status !== "CONFIRMED" && (
        <span className={order.status === "FAILED" ? "down" : "quiet"}>
          {words} {order.error && <code>{order.error.code}</code>}
        </span>
      )}
    </span>
  );
}

export function Actions({ order }: { order: OrderDoc }) {
  const may = useCan()("orders:write");
  if (!may) return null;
  if (isCancellable(order.status))
    return (
      <Button small onClick={() => void cancel(order)} aria-label={`Cancel ${orderName(order)}`}>
        Cancel
      </Button>
    );
  if (!isUnfilled(order.status)) return null;
  return (
    <Button small onClick={() => fillTicket(order)} aria-label={`Fill the ticket with ${orderName(order)}`}>
      {order.status === "FAILED" ? "Retry with fresh price" : "Again"}
    </Button>
  );
}

/** Fill the market's ticket like this order; it previews, and never sends. */
function fillTicket(order: OrderDoc): void {
  const side = order.direction;
  const [amount, limit] = [plain(order.amount), order.limitPrice == null ? null : plain(order.limitPrice)];
  const path = `/trade/${order.pair}`;
  if (window.location.pathname !== path) navigate(path);
  setQuery({ side, amount, limit });
}

async function cancel(order: OrderDoc): Promise<void> {
  const href = `/orders/${order.orderId}`;
  const title = `Cancel: ${orderName(order)}`;
  toast(order.orderId, { kind: "busy", title, text: "asking the desk", href });
  try {
    const told = await cancelOrder(order.orderId);
    toast(order.orderId, { kind: "info", title: orderName(order), text: `${told.status}: ${stageWords(told)}`, href });
  } catch (problem) {
    const text = problem instanceof Error ? problem.message : String(problem);
    toast(order.orderId, { kind: "bad", title, text, href });
  }
  await queryClient.invalidateQueries({ queryKey: ["/api/orders"] });
}
