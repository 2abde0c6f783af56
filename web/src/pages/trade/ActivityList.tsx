/** What happened to orders, newest first: every event of the desk's log, and live what follows. */
import { useMemo } from "react";
import { dateTime, time } from "../../format";
import { Link } from "../../shell/router";
import { Download, Empty } from "../../ui";
import { orderName, stageWords } from "./orderWords";
import type { OrderDoc, OrderEvent } from "./shapes";
import { Shown } from "./State";
import { useOrderRows } from "./useOrderRows";

const SHOWN_MAX = 300;

interface Happened {
  order: OrderDoc;
  event: OrderEvent;
}

export function ActivityList({ pair }: { pair: string | undefined }) {
  const { rows, pages } = useOrderRows(pair ? { pair } : {});
  const happened = useMemo<Happened[]>(() => {
    const all = rows.flatMap((order) => order.logs.map((event) => ({ order, event })));
    all.sort((a, b) => b.event.timestamp.localeCompare(a.event.timestamp) || b.event.version - a.event.version);
    return all.slice(0, SHOWN_MAX);
  }, [rows]);
  return (
    <>
      <div className="trade-filter">
        <Link to="/activity">All activity of the desk</Link>
        <Download name="order-events" rows={happened.map(({ event }) => ({ ...event, error: event.error?.code }))} />
      </div>
      <Shown asked={pages} permission="orders:read">
        {happened.length === 0 ? (
          <Empty title="Nothing happened yet.">Every step of every order is listed here.</Empty>
        ) : (
          <ol className="trade-activity" aria-label="Events, newest first">
            {happened.map(({ order, event }) => (
              <li key={`${order.orderId}-${event.version}`}>
                <time className="num quiet" dateTime={event.timestamp} title={`${dateTime(event.timestamp)} · ${event.timestamp}`}>
                  {time(event.timestamp)}
                </time>
                <strong className={event.status === "FAILED" ? "down" : undefined}>{event.status}</strong>
                <Link to={`/orders/${order.orderId}`}>
                  {orderName(order)} {order.pair}
                </Link>
                <span className="quiet">{stageWords(event)}</span>
              </li>
            ))}
          </ol>
        )}
      </Shown>
    </>
  );
}
