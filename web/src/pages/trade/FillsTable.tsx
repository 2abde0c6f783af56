/** Fills: what really moved, read from the chain's own changes of balance. */
import { dateTime, money, price, time } from "../../format";
import { Link, navigate } from "../../shell/router";
import { Address, type Column, Empty, Table } from "../../ui";
import { fromRaw, plain } from "./amounts";
import { venuesOf } from "./rows";
import type { OrderDoc } from "./shapes";

const LAMPORTS = 9;

export function FillsTable({ orders }: { orders: readonly OrderDoc[] }) {
  return (
    <Table<OrderDoc>
      caption="Fills"
      columns={COLUMNS}
      rows={orders}
      rowKey={(order) => order.orderId}
      onRow={(order) => navigate(`/orders/${order.orderId}`)}
      empty={<Empty title="No fills yet.">An order that the chain has confirmed is a fill.</Empty>}
    />
  );
}

const COLUMNS: readonly Column<OrderDoc>[] = [
  {
    id: "at",
    head: "Filled",
    cell: (order) => (
      <Link to={`/orders/${order.orderId}`} title={`${dateTime(order.updatedAt)} · ${order.updatedAt}`}>
        {time(order.updatedAt)}
      </Link>
    ),
  },
  {
    id: "base",
    head: "Amount",
    align: "right",
    cell: (order) => <Moved order={order} symbol={order.pair.split("-")[0]!} gains={order.direction === "BUY"} text={order.filled?.base} />,
  },
  {
    id: "quote",
    head: "Against",
    align: "right",
    cell: (order) => <Moved order={order} symbol={order.pair.split("-")[1]!} gains={order.direction === "SELL"} text={order.filled?.quote} />,
  },
  {
    id: "price",
    head: "Price",
    align: "right",
    cell: (order) => (
      <span className="num" title={order.executionPrice == null ? undefined : plain(order.executionPrice)}>
        {price(order.executionPrice)}
      </span>
    ),
  },
  {
    id: "fee",
    head: "Network fee",
    align: "right",
    hideBelow: 720,
    cell: (order) => (
      <span className="num">
        {order.filled ? `${money(fromRaw(BigInt(order.filled.networkFeeLamports), LAMPORTS))} SOL` : "—"}
      </span>
    ),
  },
  { id: "venue", head: "Venue", hideBelow: 720, cell: (order) => venuesOf(order) || "—" },
  {
    id: "tx",
    head: "Transaction",
    hideBelow: 900,
    cell: (order) => (order.txHash ? <Address kind="tx" value={order.txHash} /> : "—"),
  },
];

interface MovedProps {
  order: OrderDoc;
  symbol: string;
  gains: boolean;
  text: string | undefined;
}

function Moved({ symbol, gains, text }: MovedProps) {
  if (text === undefined) return <span className="num">—</span>;
  return (
    <span className={`num ${gains ? "up" : ""}`} title={text}>
      {gains ? "+" : "−"}
      {money(text)} {symbol}
    </span>
  );
}
