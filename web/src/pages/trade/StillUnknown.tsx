/** Why nothing is known of an order yet, and why asking again is safe. */
import type { Sending } from "./useSend";

export function StillUnknown({ state }: { state: Sending }) {
  if (state.phase !== "unknown") return null;
  const again = state.tries > 0 ? ` (${state.tries + 1} times so far)` : "";
  return (
    <p className="trade-unknown warn" role="status">
      The desk has not answered. Asking again with the same key{again}: it finds the order or places it, never twice. You
      may leave or reload this page.
    </p>
  );
}
