/** Each leg of each fill with its prices on the way; a row opens the order. */
import { dateTime, money, size } from "../../format";
import { Link, navigate } from "../../shell/router";
import { Table, type Column } from "../../ui";
import { Bps } from "./Bps";
import { Price, Size } from "./Figures";
import { type Leg, placeOf } from "./shapes";
import { halves } from "./sums";

export function Legs({ legs }: { legs: readonly Leg[] }) {
  return (
    <Table
      caption="Legs of fills, newest first; costs in basis points, positive is worse"
      rows={legs}
      rowKey={(row) => `${row.orderId}.${row.leg}`}
      onRow={(row) => navigate(`/orders/${row.orderId}`)}
      columns={COLUMNS}
    />
  );
}

const COLUMNS: Column<Leg>[] = [
  { id: "at", head: "Time", cell: (row) => <At leg={row} /> },
  { id: "side", head: "Side", cell: (row) => <span className={row.direction === "BUY" ? "up" : "down"}>{row.direction}</span> },
  { id: "base", head: "Amount", align: "right", cell: (row) => <Size value={row.base} unit={halves(row.pair)[0]} />, hideBelow: 480 },
  { id: "venue", head: "Venue", cell: (row) => <Venue leg={row} />, hideBelow: 560 },
  { id: "quoted", head: "Quoted", align: "right", cell: (row) => <Price value={row.quoted} />, hideBelow: 900 },
  { id: "simulated", head: "Simulated", align: "right", cell: (row) => <Price value={row.simulated} />, hideBelow: 1000 },
  { id: "landed", head: "Landed", align: "right", cell: (row) => <Price value={row.landed} />, hideBelow: 900 },
  { id: "cost", head: "Cost, bps", align: "right", cell: (row) => <Cost leg={row} /> },
  { id: "m10", head: "10 s", align: "right", cell: (row) => <After leg={row} field="markout10s" value={row.costBps.landedToMarkout10s} />, hideBelow: 720 },
  { id: "m60", head: "1 min", align: "right", cell: (row) => <After leg={row} field="markout1m" value={row.costBps.landedToMarkout1m} />, hideBelow: 720 },
  { id: "m300", head: "5 min", align: "right", cell: (row) => <After leg={row} field="markout5m" value={row.costBps.landedToMarkout5m} />, hideBelow: 720 },
];

/** When it landed; on a phone also what and where, which have no columns there. */
function At({ leg }: { leg: Leg }) {
  return (
    <>
      <Link to={`/orders/${leg.orderId}`}>{dateTime(leg.landedAt)}</Link>
      <span className="portfolio-narrow quiet">
        {size(leg.base)} {halves(leg.pair)[0]}, {placeOf(leg)}
      </span>
    </>
  );
}

function Venue({ leg }: { leg: Leg }) {
  return (
    <span title={leg.pool}>
      {placeOf(leg)}
      {leg.legs > 1 && (
        <span className="quiet" title={shared(leg)}>
          {" "}
          leg {leg.leg + 1} of {leg.legs}
        </span>
      )}
    </span>
  );
}

/** What the fill cost against its quote; a fee in another asset is not in it, and stands beside it. */
function Cost({ leg }: { leg: Leg }) {
  return (
    <>
      <Bps value={leg.costBps.quotedToLanded} />
      {Object.entries(leg.otherFees).map(([symbol, fee]) => (
        <span key={symbol} className="quiet" title="This fee is not in the cost.">
          {" + "}
          {money(fee)} {symbol}
        </span>
      ))}
    </>
  );
}

/** What a leg shares with the others of its order as they were quoted; nothing where all is its own. */
function shared(leg: Leg): string | undefined {
  const what = [
    ...(leg.simulatedMeasured || leg.simulated === null ? [] : ["what its order was simulated to move"]),
    ...(leg.measured ? [] : ["what its order moved"]),
  ];
  return what.length === 0 ? undefined : `Shares ${what.join(" and ")}, as it was quoted.`;
}

/** A markout, or why there is none; whose price it goes by is in its title. */
function After({ leg, field, value }: { leg: Leg; field: string; value: string | null }) {
  const mark = leg.provenance[field];
  const why = mark?.missing ?? (mark?.source ? `by ${mark.source}` : "not yet");
  return (
    <span title={why}>
      <Bps value={value} />
    </span>
  );
}
