/** The figures that the plots draw: what each venue's fills of a pair came to, in basis points. */
import { Table, type Column } from "../../ui";
import { Bps } from "./Bps";
import { drawn } from "./plot";
import type { VenueRow } from "./shapes";

export function VenueTable({ rows }: { rows: readonly VenueRow[] }) {
  return <Table caption="Execution quality by venue and pair, in basis points" rows={rows} rowKey={(row) => `${row.venue} ${row.pair}`} columns={COLUMNS} />;
}

function Venue({ row }: { row: VenueRow }) {
  return (
    <>
      {row.venue}
      <span className="portfolio-narrow quiet">{row.pair}</span>
    </>
  );
}

const COLUMNS: Column<VenueRow>[] = [
  { id: "venue", head: "Venue", cell: (row) => <Venue row={row} />, sort: (row) => row.venue },
  { id: "pair", head: "Pair", cell: (row) => row.pair, sort: (row) => row.pair, hideBelow: 560 },
  { id: "fills", head: "Fills", align: "right", cell: (row) => row.fills, sort: (row) => row.fills },
  { id: "split", head: "Of split orders", align: "right", cell: (row) => row.split, hideBelow: 900 },
  {
    id: "cost",
    head: "Mean cost ± error",
    align: "right",
    cell: (row) => (
      <span title={row.feeApart > 0 ? `Of ${row.feeApart} fills the fee was paid in another asset; it is in no cost, and the router learns nothing from them.` : undefined}>
        <Bps value={row.meanCostBps} />
        {row.stderrBps !== null && (
          <span className="num quiet">
            {" "}
            ± <Bps value={row.stderrBps} plain />
          </span>
        )}
        {row.feeApart > 0 && <span className="quiet"> + fees apart</span>}
      </span>
    ),
    sort: (row) => drawn(row.meanCostBps) ?? 0,
  },
  { id: "simulated", head: "To simulated", align: "right", cell: (row) => <Bps value={row.quotedToSimulatedBps} />, hideBelow: 800 },
  { id: "m10", head: "After 10 s", align: "right", cell: (row) => <Bps value={row.markout10sBps} />, hideBelow: 620 },
  { id: "m60", head: "1 min", align: "right", cell: (row) => <Bps value={row.markout1mBps} />, hideBelow: 620 },
  { id: "m300", head: "5 min", align: "right", cell: (row) => <Bps value={row.markout5mBps} />, hideBelow: 620 },
  { id: "bias", head: "Router adds", align: "right", cell: (row) => <Bps value={row.biasBps} plain />, hideBelow: 900 },
];
