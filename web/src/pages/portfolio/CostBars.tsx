/** Mean cost by venue and pair as bars from zero, with one standard error to both sides; the table has the figures. */
import { barsOf, type Bar } from "./bars";
import { scale, tickText, ticks, type Span } from "./plot";
import { useBoxWidth } from "./useBoxWidth";
import type { VenueRow } from "./shapes";

const ROW = 40;
const BAR = 12;
const FOOT = 22;

export function CostBars({ rows }: { rows: readonly VenueRow[] }) {
  const [box, width] = useBoxWidth<HTMLDivElement>();
  const { bars, span } = barsOf(rows);
  const height = bars.length * ROW;
  const at = scale(span, 4, Math.max(width - 4, 5));
  return (
    <figure ref={box} className="portfolio-plot">
      {width > 0 && (
        <svg width={width} height={height + FOOT} role="img" aria-label={`Mean cost in basis points: ${spoken(rows)}`}>
          <Axis span={span} at={at} height={height} count={Math.max(2, Math.floor(width / 90))} />
          {bars.map((bar, index) => (
            <BarRow key={bar.id} bar={bar} top={index * ROW} at={at} />
          ))}
        </svg>
      )}
      <figcaption>Right of zero the fill was worse than its quote, left of it better. Whiskers are one standard error.</figcaption>
    </figure>
  );
}

function BarRow({ bar, top, at }: { bar: Bar; top: number; at: (value: number) => number }) {
  const [zero, end, y] = [at(0), at(bar.mean), top + ROW - BAR / 2 - 6];
  return (
    <g className={bar.mean > 0 ? "portfolio-worse" : "portfolio-better"}>
      <text x={4} y={top + 13}>
        {bar.venue} <tspan className="portfolio-dim">{bar.pair}</tspan> {bar.text}
      </text>
      <rect x={Math.min(zero, end)} y={y - BAR / 2} width={Math.max(Math.abs(end - zero), 1.5)} height={BAR} />
      {bar.error !== null && <Whisker from={at(bar.mean - bar.error)} to={at(bar.mean + bar.error)} y={y} />}
    </g>
  );
}

function Whisker({ from, to, y }: { from: number; to: number; y: number }) {
  return <path className="portfolio-whisker" d={`M${from} ${y}H${to}M${from} ${y - 4}v8M${to} ${y - 4}v8`} />;
}

export interface AxisProps {
  span: Span;
  at: (value: number) => number;
  height: number;
  count: number;
}

/** Vertical lines at round figures, zero the strongest, with their text at the foot. */
export function Axis({ span, at, height, count }: AxisProps) {
  return (
    <g className="portfolio-axis">
      {ticks(span, count).map((tick) => (
        <g key={tick}>
          <line x1={at(tick)} x2={at(tick)} y1={0} y2={height} className={tick === 0 ? "portfolio-zero" : undefined} />
          <text x={at(tick)} y={height + 15} textAnchor="middle">
            {tickText(tick)}
          </text>
        </g>
      ))}
    </g>
  );
}

function spoken(rows: readonly VenueRow[]): string {
  return rows.map((row) => `${row.venue} ${row.pair} ${row.meanCostBps}${row.stderrBps ? ` give or take ${row.stderrBps}` : ""}`).join("; ");
}
