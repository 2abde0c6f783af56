/**
 * JSON with numbers exactly as they were written: the audit hashes `10.50`, so that is what is shown.
 *
 *   hashed text of a row ──readExact──▶ values, numbers as `Num` ──shown──▶ text for people
 */

/** A number as it was written. */
export class Num {
  constructor(readonly text: string) {}
}

export type Exact = string | boolean | null | Num | readonly Exact[] | { readonly [name: string]: Exact };

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Read JSON; throws `SyntaxError` for what is none. */
export function readExact(text: string): Exact {
  JSON.parse(text); // what follows takes only good JSON apart
  // Whoever wrote a row cannot know this name, so nothing in it can pass for a number.
  const mark = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const marked = text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `{"${mark}":"${token}"}`));
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === "object" && value !== null && mark in value
      ? new Num(String((value as Record<string, unknown>)[mark]))
      : value,
  ) as Exact;
}

/** Take a value that `JSON.parse` made. */
export function fromPlain(value: unknown): Exact {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "bigint") return new Num(String(value));
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(fromPlain);
  return Object.fromEntries(Object.entries(value as object).map(([name, held]) => [name, fromPlain(held)]));
}

export function isObject(value: Exact): value is { readonly [name: string]: Exact } {
  return typeof value === "object" && value !== null && !(value instanceof Num) && !Array.isArray(value);
}

/** Return a value as one line of text. */
export function shown(value: Exact | undefined): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (value instanceof Num) return value.text;
  if (Array.isArray(value)) return value.map(shown).join(", ");
  return Object.entries(value)
    .map(([name, held]) => `${name}: ${shown(held as Exact)}`)
    .join("; ");
}

export interface Difference {
  name: string;
  before: string;
  after: string;
}

/** Return what differs between two values, field by field where both are objects. */
export function differences(before: Exact, after: Exact): Difference[] {
  if (before === null && after === null) return [];
  if (!isObject(before ?? {}) || !isObject(after ?? {})) {
    return [{ name: "", before: shown(before), after: shown(after) }];
  }
  const [was, is] = [(before ?? {}) as Record<string, Exact>, (after ?? {}) as Record<string, Exact>];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return names
    .map((name) => ({ name, before: shown(was[name]), after: shown(is[name]) }))
    .filter((one) => one.before !== one.after)
    .sort((a, b) => Number(isMarginal(a.name)) - Number(isMarginal(b.name)));
}

/** Moments and accounts stand in a row anyway: what else changed is told before them. */
function isMarginal(name: string): boolean {
  return /^(by|id|at)$|Ms$|At$|_at$/.test(name);
}
