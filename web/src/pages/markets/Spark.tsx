/** The last hour of an asset in one small line, from candles of a minute; whose they are is said. */
import { useCandles } from "../../api/queries";
import { price } from "../../format";
import { Source } from "./Source";
import { sparkPath } from "./spark";

const MINUTES = 60;
const EVERY_MS = 30_000;

export interface SparkProps {
  symbol: string;
  width?: number;
  height?: number;
  /** Says the source beside the line, not only on hover. */
  named?: boolean;
}

export function Spark({ symbol, width = 96, height = 24, named = false }: SparkProps) {
  const { data, error } = useCandles(symbol, "1m", { limit: MINUTES }, { everyMs: EVERY_MS });
  if (error?.code === "market.unknown") return <span className="quiet">no candles</span>;
  const candles = data?.candles ?? [];
  const path = sparkPath(candles.map((candle) => candle.close), width, height);
  if (!data || path === "") return <span className="quiet">{data ? "too few candles" : "—"}</span>;
  const [first, last] = [candles[0]!, candles[candles.length - 1]!];
  const said = `${symbol} in ${data.currency} over ${candles.length} minutes: from ${price(first.open)} to ${price(last.close)}, by ${data.source}`;
  return (
    <span className={`markets-spark ${error ? "stale" : ""}`} title={said}>
      <svg width={width} height={height} role="img" aria-label={said}>
        <path d={path} />
      </svg>
      {named && (
        <span className="quiet">
          {data.currency}, <Source name={data.source} />
        </span>
      )}
    </span>
  );
}
