/** One order: how it went, what was considered, and everything that proves it, down to the raw message. */
import { useMemo } from "react";
import { useEvidence, useOrder } from "../../api/queries";
import { dateTime } from "../../format";
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { Link, useRoute } from "../../shell/router";
import { Chip, Copy, Page, Panel, StageStepper } from "../../ui";
import { PackButton } from "../activity/PackButton";
import { Attempts } from "./Attempts";
import { Outcome } from "./Outcome";
import { Actions } from "./OrdersTable";
import { current, isOpen, orderName, stageWords } from "./orderWords";
import { Provenance } from "./Provenance";
import { QuoteCompare } from "./QuoteCompare";
import { RouteWhy } from "./RouteWhy";
import { type OrderDoc, quotesOf, routeOf } from "./shapes";
import { Shown } from "./State";
import { StageLog } from "./StageLog";
import { useOrdersKeptFresh } from "./useOrderRows";
import "./trade.css";
import "./ticket.css";
import "./orders.css";

export default function OrderPage() {
  const id = useRoute().params.id ?? "";
  const asked = useOrder(id);
  const events = useCell(live.orders).get(id);
  useOrdersKeptFresh();
  const order = useMemo(() => asked.data && current(asked.data, events), [asked.data, events]);
  return (
    <Page
      title={order ? `${orderName(order)} · ${order.pair}` : "Order"}
      className="trade-order"
      actions={order && <Head order={order} />}
    >
      <Shown asked={asked} permission="orders:read" rows={8}>
        {order && <Order order={order} />}
      </Shown>
    </Page>
  );
}

function Head({ order }: { order: OrderDoc }) {
  return (
    <>
      <Copy text={order.orderId} label={`order ${order.orderId.slice(0, 8)}`} />
      <Actions order={order} />
      <PackButton small orderId={order.orderId} />
      <Link to={`/trade/${order.pair}`}>Trade {order.pair}</Link>
    </>
  );
}

function Order({ order }: { order: OrderDoc }) {
  const evidence = useEvidence(order.orderId);
  const route = routeOf(order.route);
  const quotes = quotesOf(evidence.data?.quotes);
  const [base = "", quote = ""] = order.pair.split("-");
  const market = { base, quote };
  const side = order.direction === "BUY" ? "BUY" : "SELL";
  return (
    <div className="trade-order-grid">
      <Panel title="Stages" className="trade-wide">
        <StageStepper events={order.logs} status={order.status} />
        <p className={order.status === "FAILED" ? "down" : "quiet"} role="status">
          <Chip kind={order.status === "CONFIRMED" ? "good" : order.status === "FAILED" ? "bad" : "info"}>
            {order.status}
          </Chip>{" "}
          {stageWords(order)} {order.error && <code>{order.error.code}</code>}
        </p>
        <StageLog logs={order.logs} />
      </Panel>
      <Outcome order={order} />
      <Panel title="Quotes considered, and why this route">
        <Shown asked={evidence} permission="orders:read" rows={4}>
          {quotes.length === 0 && !route ? (
            <p className="quiet">{isOpen(order.status) ? "Nothing was quoted yet." : "It ended before any venue was asked."}</p>
          ) : (
            <>
              <QuoteCompare quotes={quotes.length > 0 ? quotes : (route?.quotes ?? [])} route={route} market={market} side={side} />
              {route && <RouteWhy route={route} />}
            </>
          )}
        </Shown>
      </Panel>
      <Panel title="Attempts" className="trade-wide">
        <Shown asked={evidence} permission="orders:read" rows={4}>
          {evidence.data && <Attempts evidence={evidence.data} />}
        </Shown>
      </Panel>
      <Panel title="Prices it was judged by" className="trade-wide">
        <Shown asked={evidence} permission="orders:read" rows={3}>
          {evidence.data && <Provenance evidence={evidence.data} />}
        </Shown>
      </Panel>
      <p className="quiet trade-wide">
        Placed {dateTime(order.createdAt)}, version {order.version}, mode {order.mode}.
      </p>
    </div>
  );
}
