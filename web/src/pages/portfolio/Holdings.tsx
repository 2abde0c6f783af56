/** What the desk's wallet holds on its chain, at which price, how old that is, and who said it. */
import type { ReactNode } from "react";
import { Link } from "../../shell/router";
import { Age, Download, Empty, Money, Panel, Table, type Column } from "../../ui";
import { Source } from "../markets/Source";
import { State } from "../markets/State";
import { useHeard } from "../markets/useHeard";
import { UNHEARD, isOld, validity } from "../markets/words";
import { Price, Size } from "./Figures";
import { drawn } from "./plot";
import type { Holding, Portfolio } from "./shapes";

export function Holdings({ portfolio }: { portfolio: Portfolio }) {
  const { holdings, holdingsProblem } = portfolio;
  const heard = useHeard();
  return (
    <Panel title="Balances on the chain" flush actions={<Download name="holdings" rows={(holdings ?? []).map(flat)} />}>
      {holdingsProblem && (
        <p className="portfolio-late" role="alert">
          The chain could not be read: {holdingsProblem.detail} <code>{holdingsProblem.code}</code> It is asked again by
          itself.
        </p>
      )}
      {holdings && (
        <Table
          caption="Balances of the desk's wallet"
          rows={holdings}
          rowKey={(row) => row.symbol}
          columns={columns(Date.parse(portfolio.asOf), heard)}
          sort={{ id: "value", down: true }}
          empty={
            <Empty title="This wallet holds nothing.">
              <p>
                On the localnet the faucet under <Link to="/operations">Operations</Link> fills it; elsewhere send tokens
                to its address.
              </p>
            </Empty>
          }
        />
      )}
    </Panel>
  );
}

function columns(asOfMs: number, heard: boolean): Column<Holding>[] {
  return [
    { id: "asset", head: "Asset", cell: (row) => <b>{row.symbol}</b>, sort: (row) => row.symbol },
    { id: "amount", head: "Amount", align: "right", cell: (row) => <Size value={row.amount} /> },
    { id: "price", head: "Price, USD", align: "right", cell: (row) => grey(row, heard, <Told row={row} />) },
    {
      id: "value",
      head: "Value, USD",
      align: "right",
      cell: (row) => grey(row, heard, <Money value={row.valueUsd} decimals={2} />),
      sort: (row) => drawn(row.valueUsd) ?? -1,
    },
    { id: "age", head: "Price age", align: "right", cell: (row) => grey(row, heard, <PriceAge row={row} asOfMs={asOfMs} />), hideBelow: 560 },
    { id: "source", head: "Source", cell: (row) => (row.source ? <Source name={row.source} /> : "—"), hideBelow: 720 },
    { id: "state", head: "Price is", cell: (row) => (row.validity ? <State word={heard ? validity(row.validity) : UNHEARD} /> : "—"), hideBelow: 680 },
  ];
}

function grey(row: Holding, heard: boolean, shown: ReactNode): ReactNode {
  return <span className={!heard || (row.validity && isOld(row.validity)) ? "stale" : undefined}>{shown}</span>;
}

/** A price never without who said it. */
function Told({ row }: { row: Holding }) {
  return (
    <>
      <Price value={row.price} />
      {row.source && (
        <span className="portfolio-by">
          <Source name={row.source} />
        </span>
      )}
    </>
  );
}

function PriceAge({ row, asOfMs }: { row: Holding; asOfMs: number }) {
  return <Age at={row.priceAgeMs === null ? null : asOfMs - row.priceAgeMs} />;
}

function flat(row: Holding) {
  return { ...row };
}
