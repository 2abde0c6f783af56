/** Whether the owner's first steps are still open: neither all done nor dismissed. */
import { api, type Schema } from "../../../api/client";
import { useFactors } from "../../../api/queries";
import { useMe } from "../../../api/session";
import { useSettings } from "../../../api/settings";

/** The name under which the account's settings keep that the steps were dismissed. */
export const DISMISSED = "setupDismissed";

type Known = { role: string; wallets: number; factors: number; dismissed: boolean };

export const isPending = (known: Known): boolean =>
  known.role === "owner" && !known.dismissed && (known.wallets === 0 || known.factors === 0);

export function useSetupPending(): boolean {
  const { me } = useMe();
  const { settings } = useSettings();
  const owner = me?.user.role === "owner";
  const factors = useFactors({ enabled: owner });
  if (!me || !factors.data) return false;
  return isPending({
    role: me.user.role,
    wallets: me.wallets.length,
    factors: factors.data.methods.length,
    dismissed: settings[DISMISSED] === true,
  });
}

/** Ask the desk the same, right after signing in; what cannot be read keeps nobody from going on. */
export async function setupPending(): Promise<boolean> {
  try {
    const [me, factors, settings] = await Promise.all([
      api.get<Schema<"MeView">>("/api/me"),
      api.get<Schema<"FactorsView">>("/api/auth/factors"),
      api.get<Record<string, unknown>>("/api/me/settings"),
    ]);
    const dismissed = settings[DISMISSED] === true;
    return isPending({ role: me.user.role, wallets: me.wallets.length, factors: factors.methods.length, dismissed });
  } catch {
    return false;
  }
}
