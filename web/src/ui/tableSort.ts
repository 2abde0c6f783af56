/** The order of a table's rows. Pure. Exact decimals compare as decimals, words as words, unknown goes last. */
import { compare } from "../format";

export type SortValue = string | number | null | undefined;
export interface Sorting {
  id: string;
  down: boolean;
}

const DECIMAL = /^-?\d+(\.\d+)?$/;

export function sorted<T>(rows: readonly T[], by: (row: T) => SortValue, down: boolean): T[] {
  const keyed = rows.map((row, at) => ({ row, at, key: by(row) }));
  keyed.sort((a, b) => {
    const missing = Number(isMissing(a.key)) - Number(isMissing(b.key));
    if (missing) return missing;
    const order = isMissing(a.key) || isMissing(b.key) ? 0 : between(a.key, b.key);
    return (down ? -order : order) || a.at - b.at;
  });
  return keyed.map(({ row }) => row);
}

/** Return what a press on a head does: up, down, then as it came. */
export function nextSorting(now: Sorting | null, id: string): Sorting | null {
  if (now?.id !== id) return { id, down: false };
  return now.down ? null : { id, down: true };
}

function isMissing(key: SortValue): key is null | undefined {
  return key === null || key === undefined || key === "";
}

function between(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [String(a), String(b)];
  return DECIMAL.test(left) && DECIMAL.test(right) ? compare(left, right) : left.localeCompare(right);
}
