/** What a key may be, as access/api_keys/rules.py and access/policy.py have it: offered or explained before it is asked for. Pure. */
export const SCOPES = [
  { scope: "market:read", what: "prices, candles, books, how the desk is" },
  { scope: "orders:read", what: "your orders" },
  { scope: "orders:write", what: "place and cancel orders, stop trading" },
  { scope: "account:read", what: "your account, wallets, limits" },
  { scope: "admin", what: "all that your role may" },
] as const;
export type Scope = (typeof SCOPES)[number]["scope"];

/** Return why a role cannot use a scope, null where it can. */
export function unusable(scope: Scope, role: string): string | null {
  if (scope === "admin" && role !== "admin" && role !== "owner") return "for admins and owners";
  if (scope === "orders:write" && role === "viewer") return "your role trades not";
  return null;
}

const DAY_MS = 86_400_000;
export const LASTS = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "a year" },
  { value: "", label: "until revoked" },
] as const;

export const expiry = (days: string, nowMs: number): string | null =>
  days ? new Date(nowMs + Number(days) * DAY_MS).toISOString() : null;

/** Return the addresses of a text, one a line or with commas. */
export const networks = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

const OVERLAPS = [
  { value: 0, label: "not at all" },
  { value: 3_600, label: "an hour" },
  { value: 86_400, label: "a day" },
  { value: 7 * 86_400, label: "a week" },
  { value: 30 * 86_400, label: "30 days" },
];

export const overlaps = (mostS: number) =>
  OVERLAPS.filter((one) => one.value <= mostS).map((one) => ({ value: String(one.value), label: one.label }));
