/** What trading each pair came to, by average cost: what sales realized, and what is still held at today's price. */
import { Link } from "../../shell/router";
import { Delta, Download, Empty, Money, Panel, Table, useWidth, type Column } from "../../ui";
import { Price, Size } from "./Figures";
import { drawn } from "./plot";
import type { PairResult, Portfolio } from "./shapes";

export function Pairs({ portfolio }: { portfolio: Portfolio }) {
  const { pairs } = portfolio;
  const wide = useWidth() >= WIDE;
  const unknown = pairs.filter((pair) => drawn(pair.unknownCost.base));
  return (
    <Panel title="P&L by pair" flush actions={<Download name="pnl" rows={pairs.map(flat)} json={pairs} />}>
      <p className="portfolio-method">
        Method: average cost, from the amounts that really moved on the chain. A sale realizes its proceeds less the
        average cost of what it sold; network fees are apart.
      </p>
      <Table
        caption="Profit and loss by pair, average cost"
        rows={pairs}
        rowKey={(row) => row.pair}
        columns={columns(wide ? (row) => row.quote : () => undefined)}
        empty={
          <Empty title="Nothing has been bought or sold yet.">
            <p>
              <Link to="/trade/SOL-USDC">Place a first order</Link>; it appears here when the chain has confirmed it.
            </p>
          </Empty>
        }
      />
      {unknown.map((pair) => (
        <p key={pair.pair} className="portfolio-method">
          {pair.pair}: <Money value={pair.unknownCost.base} unit={pair.base} /> was sold for{" "}
          <Money value={pair.unknownCost.quote} unit={pair.quote} /> without having been bought by orders here, so its
          cost is not known and it realizes nothing.
        </p>
      ))}
    </Panel>
  );
}

const WIDE = 560;

/** Results are in the pair's second half; where there is no room its name alone says so. */
function columns(unit: (row: PairResult) => string | undefined): Column<PairResult>[] {
  return [
    { id: "pair", head: "Pair", cell: (row) => <Link to={`/trade/${row.pair}`}>{row.pair}</Link>, sort: (row) => row.pair },
    { id: "realized", head: "Realized", align: "right", cell: (row) => <Delta value={row.realized} unit={unit(row)} decimals={2} />, sort: (row) => drawn(row.realized) ?? 0 },
    { id: "unrealized", head: "Unrealized", align: "right", cell: (row) => <Delta value={row.unrealized} unit={unit(row)} decimals={2} />, sort: (row) => drawn(row.unrealized) ?? 0 },
    { id: "position", head: "Position", align: "right", cell: (row) => <Size value={row.position} unit={row.base} />, hideBelow: 560 },
    { id: "cost", head: "Average cost", align: "right", cell: (row) => <Price value={row.averageCost} />, hideBelow: 680 },
    { id: "bought", head: "Bought for", align: "right", cell: (row) => <Size value={row.bought.quote} unit={row.quote} />, hideBelow: 1000 },
    { id: "sold", head: "Sold for", align: "right", cell: (row) => <Size value={row.sold.quote} unit={row.quote} />, hideBelow: 1000 },
    { id: "network", head: "Network fees", align: "right", cell: (row) => <Money value={row.fees.network} unit="SOL" />, hideBelow: 800 },
    { id: "platform", head: "Platform fees", align: "right", cell: (row) => <Money value={row.fees.platformFee} unit={row.quote} />, hideBelow: 1200 },
    { id: "fills", head: "Fills", align: "right", cell: (row) => row.fills, sort: (row) => row.fills, hideBelow: 680 },
  ];
}

function flat(row: PairResult) {
  return {
    pair: row.pair,
    realized: row.realized,
    unrealized: row.unrealized,
    position: row.position,
    averageCost: row.averageCost,
    marketPrice: row.marketPrice,
    boughtBase: row.bought.base,
    boughtQuote: row.bought.quote,
    soldBase: row.sold.base,
    soldQuote: row.sold.quote,
    unknownCostBase: row.unknownCost.base,
    networkFeeLamports: row.fees.networkFeeLamports,
    platformFee: row.fees.platformFee,
    fills: row.fills,
    firstAt: row.firstAt,
    lastAt: row.lastAt,
  };
}
