/**
 * The drawing of candles: lightweight-charts behind four verbs. Its own lazy chunk.
 *
 * The library's own logo would bring an inline <style>, which the page's policy refuses, so the
 * link to TradingView that its license asks for stands in `Chart.tsx`. Numbers become floats here
 * and nowhere else: a chart has pixels, not money.
 */
import {
  CandlestickSeries,
  HistogramSeries,
  LineStyle,
  type IPriceLine,
  type UTCTimestamp,
  createChart,
} from "lightweight-charts";
import type { CandleView } from "../../live/messages";

const HELD_MAX = 3_000;

export interface OrderLine {
  id: string;
  price: string;
  title: string;
  side: "BUY" | "SELL";
}

export interface Drawing {
  /** Put these in place of all from the first of them on; what is older stays. */
  replace(rows: readonly CandleView[]): void;
  update(rows: readonly CandleView[]): void;
  lines(lines: readonly OrderLine[]): void;
  /** Read the colors of the theme anew. */
  paint(): void;
  remove(): void;
}

/** Draw into a box; `hover` hears the candle under the pointer, null when there is none. */
export function draw(box: HTMLElement, hover: (candle: CandleView | null) => void): Drawing {
  const chart = createChart(box, {
    autoSize: true,
    layout: { attributionLogo: false, background: { color: "transparent" } },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: true, rightOffset: 4, tickMarkFormatter: tick },
    localization: { timeFormatter: moment },
    rightPriceScale: { borderVisible: false },
    handleScroll: { vertTouchDrag: false },
    crosshair: { mode: 0 },
  });
  const candles = chart.addSeries(CandlestickSeries, { borderVisible: false });
  const volume = chart.addSeries(HistogramSeries, { priceScaleId: "", lastValueVisible: false, priceLineVisible: false });
  volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
  let held = new Map<number, CandleView>();
  let shown: IPriceLine[] = [];
  let orders: readonly OrderLine[] = [];
  let colors = read();

  const bar = (row: CandleView) => ({
    time: seconds(row) as UTCTimestamp,
    open: Number(row.open),
    high: Number(row.high),
    low: Number(row.low),
    close: Number(row.close),
  });
  const column = (row: CandleView) => ({
    time: seconds(row) as UTCTimestamp,
    value: Number(row.volume),
    color: Number(row.close) < Number(row.open) ? colors.downSoft : colors.upSoft,
  });
  const all = () => {
    const rows = [...held.values()];
    candles.setData(rows.map(bar));
    volume.setData(rows.map(column));
    precision(rows.at(-1));
  };
  const precision = (row: CandleView | undefined) => {
    const digits = row ? decimalsFor(row.close) : 2;
    candles.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits } });
  };
  const drawLines = () => {
    for (const line of shown) candles.removePriceLine(line);
    shown = orders.map((order) =>
      candles.createPriceLine({
        price: Number(order.price),
        color: order.side === "BUY" ? colors.up : colors.down,
        lineWidth: 1,
        lineStyle: LineStyle.Dashed,
        axisLabelVisible: true,
        title: order.title,
      }),
    );
  };
  const paint = () => {
    colors = read();
    chart.applyOptions({
      layout: { textColor: colors.text, fontFamily: colors.font, fontSize: 11 },
      grid: { vertLines: { color: colors.line }, horzLines: { color: colors.line } },
    });
    candles.applyOptions({ upColor: colors.up, downColor: colors.down, wickUpColor: colors.up, wickDownColor: colors.down });
    all();
    drawLines();
  };
  chart.subscribeCrosshairMove((at) => hover(typeof at.time === "number" ? (held.get(at.time) ?? null) : null));
  paint();

  return {
    replace(rows) {
      const first = rows[0] ? seconds(rows[0]) : Infinity;
      const older = [...held].filter(([at]) => at < first).slice(-HELD_MAX);
      const gone = held.size === 0;
      held = new Map([...older, ...rows.map((row) => [seconds(row), row] as const)]);
      all();
      if (gone) chart.timeScale().setVisibleLogicalRange({ from: held.size - 120, to: held.size + 4 });
    },
    update(rows) {
      const last = [...held.keys()].at(-1) ?? -Infinity;
      const late = rows.some((row) => seconds(row) < last);
      for (const row of rows) held.set(seconds(row), row);
      if (late) held = new Map([...held].sort(([a], [b]) => a - b));
      if (held.size > HELD_MAX) held = new Map([...held].slice(-HELD_MAX / 2));
      if (late || held.size <= rows.length) return all();
      for (const row of rows) {
        candles.update(bar(row));
        volume.update(column(row));
      }
    },
    lines(next) {
      orders = next;
      drawLines();
    },
    paint,
    remove: () => chart.remove(),
  };
}

function seconds(row: CandleView): number {
  return Math.floor(Date.parse(row.openAt) / 1000);
}

function decimalsFor(price: string): number {
  const value = Number(price);
  if (value >= 1_000) return 1;
  return value >= 10 ? 2 : value >= 0.5 ? 4 : 6;
}

function read() {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const [up, down] = [of("--up") || "#3fb68b", of("--down") || "#ff6b6b"];
  return {
    up,
    down,
    upSoft: soft(up),
    downSoft: soft(down),
    text: of("--fg-2") || "#a7b2bf",
    line: of("--line") || "#2a333e",
    font: style.fontFamily || "sans-serif",
  };
}

/** The tokens are #rrggbb; a third of it is enough for volume. */
function soft(color: string): string {
  return /^#[0-9a-f]{6}$/i.test(color) ? `${color}55` : color;
}

function tick(time: unknown): string {
  const at = new Date(Number(time) * 1000);
  const midnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
  if (midnight) return at.toLocaleDateString(undefined, { day: "numeric", month: "short" });
  const second = at.getSeconds() === 0 ? undefined : ("2-digit" as const);
  return at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(second ? { second } : {}) });
}

function moment(time: unknown): string {
  return new Date(Number(time) * 1000).toLocaleString("en-GB");
}
