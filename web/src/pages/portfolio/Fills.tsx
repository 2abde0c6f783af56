/** Every confirmed order and what it really moved, newest first; one row opens its order. */
import { useState } from "react";
import { useMarkets } from "../../api/queries";
import { dateTime } from "../../format";
import { Link, navigate, setQuery, useRoute } from "../../shell/router";
import { Address, Button, Delta, Empty, ErrorBox, Money, Panel, Select, Table, save, type Column } from "../../ui";
import { csv } from "../../ui/csv";
import { Price, Size } from "./Figures";
import { Loaded } from "./Loaded";
import { EXPORT_MAX, allFills, useFills } from "./queries";
import { type Fill, venuesOf } from "./shapes";
import { halves, sol } from "./sums";

export function Fills() {
  const pair = useRoute().query.pair ?? null;
  const query = useFills(pair);
  return (
    <Panel title="Fills" flush actions={<Actions pair={pair} />}>
      <Loaded query={query} permission="orders:read" rows={10}>
        {({ pages }) => (
          <>
            <Table
              caption="Fills, newest first"
              rows={pages.flatMap((page) => page.fills)}
              rowKey={(row) => row.orderId}
              onRow={(row) => navigate(`/orders/${row.orderId}`)}
              columns={COLUMNS}
              empty={<NoFills pair={pair} />}
            />
            {query.hasNextPage && (
              <p className="portfolio-more">
                <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show older
                </Button>
              </p>
            )}
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function NoFills({ pair }: { pair: string | null }) {
  return (
    <Empty title={pair === null ? "No order of yours has been filled yet." : `No order in ${pair} has been filled yet.`}>
      <p>
        <Link to={`/trade/${pair ?? "SOL-USDC"}`}>Place one</Link>; it appears here when the chain has confirmed it.
      </p>
    </Empty>
  );
}

const COLUMNS: Column<Fill>[] = [
  { id: "at", head: "Landed", cell: (row) => <Link to={`/orders/${row.orderId}`}>{dateTime(row.at)}</Link> },
  { id: "pair", head: "Pair", cell: (row) => row.pair },
  { id: "side", head: "Side", cell: (row) => <span className={row.direction === "BUY" ? "up" : "down"}>{row.direction}</span> },
  { id: "base", head: "Amount", align: "right", cell: (row) => <Size value={row.base} unit={halves(row.pair)[0]} /> },
  { id: "price", head: "Price", align: "right", cell: (row) => <Price value={row.price} />, hideBelow: 480 },
  { id: "quote", head: "For", align: "right", cell: (row) => <Money value={row.quote} unit={halves(row.pair)[1]} />, hideBelow: 720 },
  { id: "realized", head: "Realized", align: "right", cell: (row) => <Realized row={row} />, hideBelow: 1200 },
  { id: "network", head: "Network fee", align: "right", cell: (row) => <NetworkFee row={row} />, hideBelow: 900 },
  { id: "platform", head: "Platform fee", align: "right", cell: (row) => <Money value={row.platformFee} />, hideBelow: 1300 },
  { id: "venues", head: "Venues", cell: (row) => venuesOf(row.venues).join(", ") || "—", hideBelow: 1000 },
  { id: "tx", head: "Transaction", cell: (row) => (row.txHash ? <Address value={row.txHash} kind="tx" /> : "—"), hideBelow: 620 },
];

/** What a sale realized; of what orders here never bought the cost is not known. */
function Realized({ row }: { row: Fill }) {
  const [base, quote] = halves(row.pair);
  if (row.direction !== "SELL") return null;
  if (row.unknownCost === row.base) return <span className="quiet" title={`These ${base} were not bought by orders here`}>cost not known</span>;
  return <Delta value={row.realized} unit={quote} />;
}

function NetworkFee({ row }: { row: Fill }) {
  const other = Object.entries(row.otherFees);
  return (
    <>
      <Money value={sol(row.networkFeeLamports)} unit="SOL" />
      {other.map(([symbol, fee]) => (
        <span key={symbol}>
          {" + "}
          <Money value={fee} unit={symbol} />
        </span>
      ))}
    </>
  );
}

function Actions({ pair }: { pair: string | null }) {
  const { data } = useMarkets();
  const pairs = (data?.markets ?? []).map((market) => market.pair);
  return (
    <>
      <Select
        label="Pair"
        hideLabel
        value={pair ?? ""}
        onChange={(value) => setQuery({ pair: value || null })}
        options={[{ value: "", label: "All pairs" }, ...pairs.map((value) => ({ value, label: value }))]}
      />
      <Export pair={pair} />
    </>
  );
}

/** All fills as a file, not only those on the screen: read page by page first. */
function Export({ pair }: { pair: string | null }) {
  const [busy, setBusy] = useState<"csv" | "json" | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [cut, setCut] = useState(false);
  const write = async (kind: "csv" | "json") => {
    setBusy(kind);
    setError(null);
    try {
      const { fills, whole } = await allFills(pair);
      setCut(!whole);
      if (kind === "csv") save("fills.csv", "text/csv", csv(fills.map((fill) => ({ ...fill, venues: fill.venues.join(" ") }))));
      else save("fills.json", "application/json", JSON.stringify(fills, null, 2));
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
    } finally {
      setBusy(null);
    }
  };
  return (
    <>
      {cut && <span className="warn">the newest {EXPORT_MAX.toLocaleString("en-US")} only</span>}
      {error && <ErrorBox error={error} />}
      <Button small busy={busy === "csv"} onClick={() => void write("csv")}>
        CSV
      </Button>
      <Button small busy={busy === "json"} onClick={() => void write("json")}>
        JSON
      </Button>
    </>
  );
}
