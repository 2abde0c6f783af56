/** The line of the last closes: pure. Numbers are made floats here to be drawn, and nowhere else. */

/** An SVG path over so many pixels; empty for fewer than two closes. A flat line stands in the middle. */
export function sparkPath(closes: readonly string[], width: number, height: number, pad = 2): string {
  const values = closes.map(Number).filter(Number.isFinite);
  if (values.length < 2) return "";
  const low = Math.min(...values);
  const high = Math.max(...values);
  const step = (width - 2 * pad) / (values.length - 1);
  const per = high === low ? 0 : (height - 2 * pad) / (high - low);
  const y = (value: number) => (per === 0 ? height / 2 : height - pad - (value - low) * per);
  return values.map((value, index) => `${index === 0 ? "M" : "L"}${round(pad + index * step)} ${round(y(value))}`).join("");
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
