/** Roles and permissions in words; the desk's table is access/policy.py. Pure. */
export const RANKED = ["viewer", "trader", "approver", "admin", "owner"] as const;
export type Role = (typeof RANKED)[number];

export const ROLES: Record<string, string> = {
  viewer: "sees everything, moves nothing",
  trader: "trades, and can stop trading",
  approver: "approves what others ask for, and trades",
  admin: "adds users, changes limits, reads the audit",
  owner: "may do everything",
};

export const KYC: Record<string, string> = {
  none: "not asked for",
  pending: "an admin is asked",
  approved: "approved",
  rejected: "rejected",
};

const WORDS: Record<string, string> = {
  "market:read": "prices, candles, books",
  "system:read": "how the desk is",
  "orders:read": "your orders",
  "orders:write": "place and cancel orders",
  "account:read": "see your account",
  "account:write": "change your account",
  "keys:write": "make and revoke your API keys",
  "orders:approve": "approve what others asked for",
  "users:read": "see who there is",
  "users:write": "add and change users",
  "limits:write": "change trading limits",
  "trading:halt": "stop trading",
  "audit:read": "read the audit",
  "security:read": "read security events",
  "security:write": "lift blocks, rotate the desk’s keys",
};

export const allowed = (permission: string): string => WORDS[permission] ?? "";

/** Return the roles somebody may hand out: none above their own. */
export function handedOutBy(role: string): readonly Role[] {
  const rank = RANKED.findIndex((one) => one === role);
  return RANKED.slice(0, rank + 1);
}
