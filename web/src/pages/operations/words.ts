/** Numbers in short, for tiles and tables; no money is among them. */

/** How long something took: "0.4 ms", "12 ms", "1.25 s", "2.1 min". */
export function took(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "—";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(2)} s`;
  return `${(ms / 60_000).toFixed(1)} min`;
}

/** A count with thousands apart. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? "—" : value.toLocaleString("en-US");
}

/** A share from 0 to 1 as per cent, without needless zeros. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(3))} %`;
}
