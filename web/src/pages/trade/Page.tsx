/** The page a trader lives in: markets, chart and orders, ticket. The market is in the address. */
import { useEffect, useMemo } from "react";
import type { Schema } from "../../api/client";
import { useMarkets } from "../../api/queries";
import { price as priced } from "../../format";
import { Link, setQuery, useRoute } from "../../shell/router";
import { Empty, Page } from "../../ui";
import { plain } from "./amounts";
import { Border, HideMarkets } from "./Borders";
import type { OrderLine } from "./candleChart";
import { Chart } from "./Chart";
import { FirstTrade } from "./FirstTrade";
import type { Form } from "./form";
import { Markets } from "./Markets";
import { OrdersPanel, useOpen } from "./OrdersPanel";
import { follow } from "./orderToasts";
import { orderName } from "./orderWords";
import { Shown } from "./State";
import { Ticket } from "./Ticket";
import { useKeys } from "./useKeys";
import { useLayout } from "./useLayout";
import { useOrdersKeptFresh } from "./useOrderRows";
import { useTicket } from "./useTicket";
import "./trade.css";
import "./ticket.css";
import "./orders.css";

export default function TradePage() {
  const { params } = useRoute();
  const pair = (params.pair ?? "").toUpperCase();
  const markets = useMarkets();
  const market = markets.data?.markets.find((one) => one.pair === pair);
  useOrdersKeptFresh();
  if (market) return <Desk key={pair} market={market} />;
  return (
    <Page title={`Trade ${pair}`} hideTitle>
      <Shown asked={markets} permission="market:read" rows={12}>
        <Empty title={`${pair} is not traded here.`}>
          {markets.data?.markets.map((one) => (
            <Link key={one.pair} to={`/trade/${one.pair}`} className="trade-other">
              {one.pair}
            </Link>
          ))}
        </Empty>
      </Shown>
    </Page>
  );
}

function Desk({ market }: { market: Schema<"MarketView"> }) {
  const { query } = useRoute();
  const ticket = useTicket(market, {}, { placed: (placed, draft) => follow(placed.orderId, orderName(draft)) });
  useKeys(ticket);
  useAskedFor(query, ticket.change);
  const lines = useLines(market.pair);
  const borders = useLayout();
  const shown = ticket.price.value;
  return (
    <Page
      title={`Trade ${market.pair}`}
      hideTitle
      windowTitle={shown ? `${priced(shown)} ${market.pair}` : market.pair}
      className="trade-page"
    >
      <div ref={borders.grid} className="trade-grid" style={borders.style} data-markets={borders.hidden ? "hidden" : undefined}>
        {!borders.hidden && <Markets chosen={market.pair} />}
        <HideMarkets borders={borders} />
        <Border name="markets" borders={borders} />
        <div className="trade-side">
          <FirstTrade ticket={ticket} />
          <Ticket market={market} ticket={ticket} />
        </div>
        <Border name="ticket" borders={borders} />
        <Chart symbol={market.base} pair={market.pair} lines={lines} />
        <Border name="orders" borders={borders} />
        <OrdersPanel pair={market.pair} />
      </div>
    </Page>
  );
}

/** Fill the ticket with what a link asks for (`?side&amount&limit`), once; nothing is sent by it. */
function useAskedFor(query: Readonly<Record<string, string>>, change: (some: Partial<Form>) => void): void {
  const { side, amount, limit } = query;
  useEffect(() => {
    if (side === undefined && amount === undefined) return;
    const some: Partial<Form> = { limit: limit ?? "" };
    if (side === "BUY" || side === "SELL") some.side = side;
    if (amount !== undefined) some.amount = amount;
    change(some);
    setQuery({ side: null, amount: null, limit: null });
  }, [side, amount, limit, change]);
}

/** Return a line per open limit order of a market. */
function useLines(pair: string): readonly OrderLine[] {
  const { open } = useOpen(pair);
  return useMemo(
    () =>
      open
        .filter((order) => order.limitPrice != null)
        .slice(0, 50)
        .map((order) => ({
          id: order.orderId,
          price: plain(order.limitPrice!),
          title: orderName(order),
          side: order.direction === "BUY" ? ("BUY" as const) : ("SELL" as const),
        })),
    [open],
  );
}
