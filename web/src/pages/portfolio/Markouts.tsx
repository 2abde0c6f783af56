/** How the market moved after fills, 10 s, 1 min and 5 min later, one row for each venue and pair. */
import { HORIZONS, markoutsOf, type MarkoutRow } from "./bars";
import { Axis } from "./CostBars";
import { scale } from "./plot";
import type { VenueRow } from "./shapes";
import { useBoxWidth } from "./useBoxWidth";

const ROW = 40;
const FOOT = 22;
const R = 5;

export function Markouts({ rows }: { rows: readonly VenueRow[] }) {
  const [box, width] = useBoxWidth<HTMLDivElement>();
  const found = markoutsOf(rows);
  const height = found.rows.length * ROW;
  const at = scale(found.span, 8, Math.max(width - 8, 9));
  return (
    <figure ref={box} className="portfolio-plot">
      <Legend />
      {width > 0 && (
        <svg width={width} height={height + FOOT} role="img" aria-label={`Mean markouts in basis points: ${spoken(rows)}`}>
          <Axis span={found.span} at={at} height={height} count={Math.max(2, Math.floor(width / 90))} />
          {found.rows.map((row, index) => (
            <Dots key={row.id} row={row} top={index * ROW} at={at} />
          ))}
        </svg>
      )}
      <figcaption>Right of zero the market went against the fill, left of it in its favor.</figcaption>
    </figure>
  );
}

function Dots({ row, top, at }: { row: MarkoutRow; top: number; at: (value: number) => number }) {
  const known = row.after.filter((value) => value !== null);
  const y = top + ROW - R - 7;
  return (
    <g>
      <text x={4} y={top + 13}>
        {row.venue} <tspan className="portfolio-dim">{row.pair}{known.length === 0 ? " · not known yet" : ""}</tspan>
      </text>
      {known.length > 1 && <line className="portfolio-range" x1={at(Math.min(...known))} x2={at(Math.max(...known))} y1={y} y2={y} />}
      {row.after.map((value, horizon) => value !== null && <Shape key={horizon} horizon={horizon} x={at(value)} y={y} />)}
    </g>
  );
}

/** Each horizon has its shape as well as its color. */
function Shape({ horizon, x, y }: { horizon: number; x: number; y: number }) {
  const name = `portfolio-mark portfolio-mark-${horizon}`;
  if (horizon === 0) return <circle className={name} cx={x} cy={y} r={R} />;
  if (horizon === 1) return <rect className={name} x={x - R} y={y - R} width={2 * R} height={2 * R} />;
  return <path className={name} d={`M${x} ${y - R - 1}l${R + 1} ${2 * R}h${-2 * (R + 1)}z`} />;
}

function Legend() {
  return (
    <ul className="portfolio-legend">
      {HORIZONS.map((name, horizon) => (
        <li key={name}>
          <svg width={16} height={14} aria-hidden="true">
            <Shape horizon={horizon} x={8} y={7} />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}

function spoken(rows: readonly VenueRow[]): string {
  const told = (value: string | null) => value ?? "not known";
  return rows
    .map((row) => `${row.venue} ${row.pair} ${told(row.markout10sBps)}, ${told(row.markout1mBps)}, ${told(row.markout5mBps)}`)
    .join("; ");
}
