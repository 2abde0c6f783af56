/** What acts are called in plain words; one that is not listed is shown by its own name. */

const ACTS: Record<string, string> = {
  "audit.dropped": "Acts found no room in the audit",
  "audit.key_made": "Audit's signing key made",
  "audit.signed": "A day of the audit signed",
  "audit.tampered": "Rows of the audit were changed",
  "block.lifted": "Network let in again",
  "email.verified": "Email address verified",
  "factor.added": "Second factor added",
  "factor.failed": "Wrong second factor",
  "factor.removed": "Second factor removed",
  "identity.linked": "Provider linked",
  "identity.unlinked": "Provider unlinked",
  "key.made": "API key made",
  "key.revoked": "API key revoked",
  "key.rotated": "API key rotated",
  "limit.changed": "Limit changed",
  "link.refused": "Link refused",
  "localnet.faucet": "Localnet tokens given",
  "localnet.faults": "Localnet faults switched",
  "nonce.replayed": "Signed text sent again",
  "notice.tested": "Test notice sent",
  "orders.recorded": "Rows of orders covered",
  "password.changed": "Password changed",
  "proof.given": "Presence proven",
  "request.refused": "Request refused",
  "security.event": "Security event",
  "session.closed": "Session ended",
  "session.moved": "Session changed network",
  "session.opened": "Signed in",
  "sign_in.failed": "Sign-in failed",
  "token.replayed": "Refresh token used twice",
  "trading.halted": "Trading stopped",
  "trading.resumed": "Trading let go on",
  "user.added": "User added",
  "user.changed": "User changed",
  "wallet.linked": "Wallet linked",
  "wallet.unlinked": "Wallet unlinked",
};

/** Return what an act is called. */
export function called(action: string): string {
  return ACTS[action] ?? action;
}

/** Return whether an act asks to be looked at. */
export function isBad(action: string): boolean {
  return /\.(tampered|failed|refused|replayed|dropped)$/.test(action);
}

/** What people filter by, besides what they type. */
export const PRESETS: readonly { label: string; action: string }[] = [
  { label: "All", action: "" },
  { label: "Sign-ins", action: "session." },
  { label: "Refused", action: "request.refused" },
  { label: "Orders", action: "orders." },
  { label: "Limits", action: "limit." },
  { label: "Kill switch", action: "trading." },
  { label: "Keys", action: "key." },
  { label: "Audit", action: "audit." },
];
