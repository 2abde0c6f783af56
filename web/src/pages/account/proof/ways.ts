/** By what the person behind a session may prove to be there, as access/factors/step_up.py has it. Pure. */
export type Way = "totp" | "passkey" | "recovery" | "wallet" | "password" | "key";

const SECOND: readonly Way[] = ["totp", "passkey", "recovery"];

export const LABELS: Record<Way, string> = {
  totp: "App",
  passkey: "Passkey",
  recovery: "Recovery code",
  wallet: "Wallet",
  password: "Password",
  key: "Owner’s key",
};

/** Return the ways: who has a second factor shows that, others what they signed in with. */
export function waysOf(has: { factors: readonly string[]; wallets: number; email: string | null; role: string }): readonly Way[] {
  const second = SECOND.filter((way) => has.factors.includes(way));
  if (second.length > 0) return second;
  const first: Way[] = [];
  if (has.wallets > 0) first.push("wallet");
  if (has.email) first.push("password");
  if (has.role === "owner") first.push("key");
  return first;
}
