/** What the two ways of stopping are called, and what each does. */

export type Scope = "new" | "all";

export const WORDS: Record<Scope, { title: string; state: string; does: string; leaves: string }> = {
  new: {
    title: "Pause new entries",
    state: "new entries paused",
    does: "Nothing new is signed: new orders are refused, and those that nothing was signed for wait.",
    leaves: "Open orders stay open, and what is signed goes on to its end.",
  },
  all: {
    title: "Stop and cancel",
    state: "stopped and cancelled",
    does: "Nothing new is signed, and every open order that nothing was signed for is cancelled.",
    leaves: "What is signed cannot be taken back and goes on to its end. Cancelled orders do not come back.",
  },
};

/** Return what the desk would refuse in a reason; null is good. */
export function reasonFlaw(reason: string): string | null {
  if (reason.trim() === "") return "Say why, for those who find it stopped.";
  if (reason.length > 200) return "At most 200 letters.";
  return /[\u0000-\u001f\u007f]/.test(reason) ? "Letters only, in one line." : null;
}
