/** The candle chart of a market: history by REST, the live bar by `/ws`, lines where limit orders rest. */
import { useEffect, useRef, useState } from "react";
import { useCandles } from "../../api/queries";
import { dateTime, price, size } from "../../format";
import { live } from "../../live/store";
import type { CandleView } from "../../live/messages";
import { setQuery, useRoute } from "../../shell/router";
import { Empty, Panel, Segmented } from "../../ui";
import { ApiError } from "../../api/client";
import type { Drawing, OrderLine } from "./candleChart";
import { Shown } from "./State";

const INTERVALS = ["1s", "15s", "1m", "5m", "15m", "1h", "4h", "1d"] as const;
type Interval = (typeof INTERVALS)[number];
const HISTORY = 1_000;
const ENOUGH = 20;

export interface ChartProps {
  /** The asset whose candles these are. */
  symbol: string;
  pair: string;
  lines: readonly OrderLine[];
}

export function Chart({ symbol, pair, lines }: ChartProps) {
  const { query } = useRoute();
  const asked = useInterval(symbol, query.interval);
  return <Candles symbol={symbol} pair={pair} lines={lines} interval={asked} />;
}

/** Return the interval asked for; else minutes, or less while a young desk has few minutes. */
function useInterval(symbol: string, told: string | undefined): Interval | null {
  const wanted = INTERVALS.find((one) => one === told);
  const { data, isPending } = useCandles(symbol, "1m", { limit: ENOUGH }, { enabled: wanted === undefined });
  const chosen = useRef<Interval | null>(null); // and it stays, however many there are later
  if (!isPending) chosen.current ??= data && data.candles.length < ENOUGH ? "15s" : "1m";
  return wanted ?? chosen.current;
}

function Candles({ symbol, pair, lines, interval }: ChartProps & { interval: Interval | null }) {
  const asked = useCandles(symbol, interval ?? "1m", { limit: HISTORY }, { enabled: interval !== null });
  const unknown = asked.error instanceof ApiError && asked.error.code === "market.unknown";
  return (
    <Panel
      title={`${pair} candles`}
      className="trade-chart"
      flush
      actions={
        <Segmented<Interval>
          label="Interval"
          value={interval ?? "1m"}
          onChange={(value) => setQuery({ interval: value })}
          options={INTERVALS.map((value) => ({ value, label: value }))}
          className="trade-intervals"
        />
      }
    >
      {unknown ? (
        <Empty title={`No source tells candles of ${symbol} here yet.`}>Prices and orders work without them.</Empty>
      ) : (
        <Shown asked={asked} permission="market:read" rows={8}>
          {asked.data && (
            <Canvas
              key={`${symbol}-${interval}`}
              history={asked.data.candles}
              feed={`${asked.data.source}:${asked.data.symbol}:${asked.data.currency}:${interval}`}
              label={`${symbol} in ${asked.data.currency} at ${asked.data.source}, ${interval} candles`}
              lines={lines}
            />
          )}
        </Shown>
      )}
    </Panel>
  );
}

interface CanvasProps {
  history: readonly CandleView[];
  feed: string;
  label: string;
  lines: readonly OrderLine[];
}

function Canvas({ history, feed, label, lines }: CanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | null>(null);
  const start = useRef(history);
  const latest = useRef(lines);
  latest.current = lines;
  const [hovered, setHovered] = useState<CandleView | null>(null);
  const [last, setLast] = useState<CandleView | null>(history.at(-1) ?? null);

  useEffect(() => {
    let ended: () => void = () => undefined;
    let gone = false;
    void import("./candleChart").then(({ draw }) => {
      if (gone || !box.current) return;
      const made = draw(box.current, setHovered);
      drawing.current = made;
      made.replace(start.current);
      made.lines(latest.current);
      const stopPaint = onTheme(made.paint);
      const stopFeed = live.candles(feed, {
        replace(rows) {
          made.replace(rows);
          setLast(rows.at(-1) ?? null);
        },
        update(rows) {
          made.update(rows);
          setLast(rows.at(-1) ?? null);
        },
      });
      ended = () => {
        stopFeed();
        stopPaint();
        made.remove();
      };
    });
    return () => {
      gone = true;
      drawing.current = null;
      ended();
    };
  }, [feed]);

  const drawn = JSON.stringify(lines);
  useEffect(() => drawing.current?.lines(latest.current), [drawn]);

  return (
    <div className="trade-canvas" role="group" aria-label={label}>
      <Legend candle={hovered ?? last} />
      <div ref={box} className="trade-canvas-box" />
      <a
        className="trade-attribution"
        href="https://www.tradingview.com/"
        target="_blank"
        rel="noopener noreferrer"
        title="TradingView Lightweight Charts™. Copyright © 2025 TradingView, Inc. https://www.tradingview.com/"
      >
        Charts by TradingView
      </a>
    </div>
  );
}

function Legend({ candle }: { candle: CandleView | null }) {
  if (!candle) return null;
  const falls = Number(candle.close) < Number(candle.open);
  return (
    <p className={`trade-legend num ${falls ? "down" : "up"}`}>
      <span className="quiet">{dateTime(candle.openAt)}</span> O {price(candle.open)} H {price(candle.high)} L{" "}
      {price(candle.low)} C {price(candle.close)} <span className="quiet">V {size(candle.volume)}</span>
      {candle.gap && <span className="warn"> some trades are missing</span>}
    </p>
  );
}

/** Call after each change of theme or of the color pair. */
function onTheme(changed: () => void): () => void {
  const watcher = new MutationObserver(changed);
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-colors"] });
  return () => watcher.disconnect();
}
