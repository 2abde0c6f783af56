/** The limits that can be changed while the desk runs, as guard/limits.py has them: names, units, how they are written. Pure. */
export type Kind = "usd" | "whole" | "pairs";
export type Known = { name: string; label: string; unit: string; kind: Kind; perAccount: boolean };

export const LIMITS: readonly Known[] = [
  { name: "pairs", label: "Pairs that may be traded", unit: "", kind: "pairs", perAccount: true },
  { name: "order_notional_usd_max", label: "One order, at most", unit: "USD", kind: "usd", perAccount: true },
  { name: "day_notional_usd_max", label: "One day, at most", unit: "USD", kind: "usd", perAccount: true },
  { name: "open_orders_max", label: "Open orders, at most", unit: "", kind: "whole", perAccount: true },
  { name: "slippage_bps_max", label: "Slippage, at most", unit: "bps", kind: "whole", perAccount: true },
  { name: "price_age_ms_max", label: "Age of the reference price, at most", unit: "ms", kind: "whole", perAccount: true },
  {
    name: "price_band_bps_max",
    label: "Distance of a route from the reference price, at most",
    unit: "bps",
    kind: "whole",
    perAccount: false,
  },
];

export const SOURCES: Record<string, string> = {
  settings: "settings",
  desk: "desk",
  account: "your account",
  combined: "several together",
};

export const known = (name: string): Known | undefined => LIMITS.find((limit) => limit.name === name);

/** Return a bound as people read it; null is no bound. Digits stay the desk's own, grouped, nothing rounded. */
export function shown(name: string, value: unknown): string {
  if (value === null || value === undefined) return "no bound";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  const unit = known(name)?.unit;
  return unit ? `${grouped(String(value))} ${unit}` : grouped(String(value));
}

const grouped = (digits: string): string => digits.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));

/** Return a bound as a field holds it. */
export function written(value: unknown): string {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(" ") : String(value);
}

/** Return what a field says as JSON: null takes the bound away; undefined is not a bound. Dollars stay text. */
export function read(kind: Kind, text: string): unknown {
  const told = text.trim();
  if (told === "") return null;
  if (kind === "pairs") return told.split(/[\s,]+/).filter(Boolean).map((pair) => pair.toUpperCase());
  const digits = told.replaceAll(",", "");
  if (kind === "usd") return /^\d{1,16}(\.\d{1,8})?$/.test(digits) ? digits : undefined;
  return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
}

export const same = (one: unknown, other: unknown): boolean => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
