/** Below the chart: open orders, all orders, fills and what happened, filtered by the address bar. */
import { useMemo } from "react";
import type { Schema } from "../../api/client";
import type { OrdersQuery } from "../../api/queries";
import { setQuery, useRoute } from "../../shell/router";
import { Button, Chip, Download, Empty, Panel, Select, Tabs, tabPanel } from "../../ui";
import { ActivityList } from "./ActivityList";
import { FillsTable } from "./FillsTable";
import { isOpen } from "./orderWords";
import { OrdersTable } from "./OrdersTable";
import { orderCells, fillCells } from "./rows";
import { Shown } from "./State";
import { useOrderRows } from "./useOrderRows";

const TABS = ["open", "orders", "fills", "activity"] as const;
type Tab = (typeof TABS)[number];
const LABELS: Record<Tab, string> = { open: "Open orders", orders: "Orders", fills: "Fills", activity: "Activity" };
const STATUSES = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED", "FAILED", "CANCELLED"] as const;
const ALL = "all";
const OPEN_READ = 200;

export function OrdersPanel({ pair }: { pair: string }) {
  const { query } = useRoute();
  const tab = TABS.find((one) => one === query.tab) ?? "open";
  const here = query.only !== ALL;
  const status = STATUSES.find((one) => one === query.status);
  const { open } = useOpen(here ? pair : undefined);
  return (
    <Panel
      title="Orders"
      className="trade-orders"
      flush
      actions={
        <Select
          label="Market"
          hideLabel
          value={here ? pair : ALL}
          onChange={(value) => setQuery({ only: value === ALL ? ALL : null })}
          options={[
            { value: pair, label: pair },
            { value: ALL, label: "All markets" },
          ]}
        />
      }
    >
      <Tabs
        label="Orders"
        name="trade-orders"
        tabs={TABS.map((id) => ({ id, label: LABELS[id], count: id === "open" ? open.length || null : null }))}
        value={tab}
        onChange={(id) => setQuery({ tab: id === "open" ? null : id })}
      />
      <div {...tabPanel(tab, "trade-orders")} className="trade-tab">
        {tab === "open" && <OpenTab pair={here ? pair : undefined} />}
        {tab === "orders" && <AllTab pair={here ? pair : undefined} status={status} />}
        {tab === "fills" && <FillsTab pair={here ? pair : undefined} />}
        {tab === "activity" && <ActivityList pair={here ? pair : undefined} />}
      </div>
    </Panel>
  );
}

/** Return the open orders of a market, or of all: the newest, and whatever rests however long. */
export function useOpen(pair: string | undefined) {
  const newest = useOrderRows(asked(pair, { limit: OPEN_READ }));
  const resting = useOrderRows(asked(pair, { limit: OPEN_READ, status: "PENDING" }));
  const open = useMemo(() => {
    const known = new Map([...newest.rows, ...resting.rows].map((order) => [order.orderId, order]));
    const found = [...known.values()].filter((order) => isOpen(order.status));
    return found.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  }, [newest.rows, resting.rows]);
  return { open, pages: newest.pages };
}

function asked(pair: string | undefined, more: OrdersQuery = {}): OrdersQuery {
  return { ...(pair ? { pair } : {}), ...more };
}

function OpenTab({ pair }: { pair: string | undefined }) {
  const { open, pages } = useOpen(pair);
  return (
    <Shown asked={pages} permission="orders:read">
      <OrdersTable
        caption="Open orders"
        orders={open}
        empty={<Empty title="No open orders.">What you place appears here until it is filled, fails or is cancelled.</Empty>}
      />
    </Shown>
  );
}

function AllTab({ pair, status }: { pair: string | undefined; status: Schema<"OrderStatus"> | undefined }) {
  const { rows, pages } = useOrderRows(asked(pair, status ? { status } : {}));
  return (
    <>
      <div className="trade-filter">
        <Select
          label="Status"
          hideLabel
          value={status ?? ALL}
          onChange={(value) => setQuery({ status: value === ALL ? null : value })}
          options={[{ value: ALL, label: "Every status" }, ...STATUSES.map((one) => ({ value: one, label: one }))]}
        />
        <Download name="orders" rows={rows.map(orderCells)} json={rows} />
      </div>
      <Shown asked={pages} permission="orders:read">
        <OrdersTable
          caption="Orders"
          orders={status ? rows.filter((order) => order.status === status) : rows}
          empty={<Empty title={status ? `No orders are ${status}.` : "No orders yet."}>The ticket places the first.</Empty>}
        />
        <More pages={pages} />
      </Shown>
    </>
  );
}

function FillsTab({ pair }: { pair: string | undefined }) {
  const { rows, pages } = useOrderRows(asked(pair, { status: "CONFIRMED" }));
  return (
    <>
      <div className="trade-filter">
        <Chip>realized amounts, as the chain moved them</Chip>
        <Download name="fills" rows={rows.map(fillCells)} json={rows} />
      </div>
      <Shown asked={pages} permission="orders:read">
        <FillsTable orders={rows} />
        <More pages={pages} />
      </Shown>
    </>
  );
}

function More({ pages }: { pages: ReturnType<typeof useOrderRows>["pages"] }) {
  if (!pages.hasNextPage) return null;
  return (
    <p className="trade-more">
      <Button small busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
        Older
      </Button>
    </p>
  );
}
