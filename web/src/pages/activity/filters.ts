/**
 * Which rows are asked for, as the page's address holds it.
 *
 *   ?action=…&account=…&about=…&from=…&to=…  ──filtersOf──▶ Filters ──searchOf──▶ GET /api/audit
 */

export interface Filters {
  action: string;
  account: string;
  about: string;
  /** Moments, ISO 8601 UTC; "" is no bound. */
  from: string;
  to: string;
}

export const NAMES = ["action", "account", "about", "from", "to"] as const;

type Query = Readonly<Record<string, string | undefined>>;

/** Return the filters that an address names. */
export function filtersOf(query: Query): Filters {
  const [action = "", account = "", about = "", from = "", to = ""] = NAMES.map((name) => query[name] ?? "");
  return { action, account, about, from, to };
}

export function isAny(filters: Filters): boolean {
  return NAMES.some((name) => filters[name] !== "");
}

/** Return the query of a page of rows; an order's id alone is taken for what rows call it. */
export function searchOf(filters: Filters, cursor: string | null, limit: number): string {
  const search = new URLSearchParams();
  for (const name of NAMES) if (filters[name]) search.set(name, filters[name]);
  const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
  if (id.test(filters.about)) search.set("about", `order:${filters.about.toLowerCase()}`);
  if (cursor !== null) search.set("cursor", cursor);
  search.set("limit", String(limit));
  return search.toString();
}

/** Return what the server would refuse, so that it is said beside the field; null is good. */
export function flawOf(name: keyof Filters, text: string): string | null {
  if (text === "") return null;
  if (name === "action") return /^[a-z0-9_.]{1,80}$/.test(text) ? null : "small letters, digits, dots and _";
  if (name === "account") return /^[0-9a-f-]{36}$/i.test(text) ? null : "an account's id";
  if (name === "about") return text.length <= 200 ? null : "at most 200 letters";
  return Number.isNaN(Date.parse(text)) ? "a time" : null;
}

/** Return a moment as `<input type="datetime-local">` holds it, in the reader's own time. */
export function toLocal(iso: string): string {
  const at = new Date(iso);
  if (iso === "" || Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Return what such a field holds as a moment in UTC. */
export function fromLocal(text: string): string {
  const at = new Date(text);
  return text === "" || Number.isNaN(at.getTime()) ? "" : at.toISOString();
}
