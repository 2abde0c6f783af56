/** The one thing that must be read above the page, by rank: halted, disconnected, delayed. Pure. */
import type { Schema } from "../api/client";
import type { Link } from "../live/store";

export interface Standing {
  id: "halted" | "disconnected" | "stale";
  kind: "bad" | "warn";
  title: string;
  text: string;
}

export interface Facts {
  trading: Schema<"TradingView"> | null;
  phase: Link["phase"];
  silentMs: number | null;
  tries: number;
}

export function standing({ trading, phase, silentMs, tries }: Facts): Standing | null {
  const halt = trading?.desk ?? trading?.account;
  if (halt) {
    const whose = trading?.desk ? "on the whole desk" : "for this account";
    const what = halt.scope === "new" ? "New orders are paused" : "Trading is halted";
    return { id: "halted", kind: "bad", title: `${what} ${whose}`, text: halt.reason };
  }
  const since = silentMs === null ? "" : ` for ${Math.floor(silentMs / 1000)} s`;
  if (phase === "lost") {
    const again = tries > 0 ? ` Attempt ${tries + 1}.` : "";
    const text = `Nothing heard${since}; what is shown is old. Connecting again.${again}`;
    return { id: "disconnected", kind: "bad", title: "Disconnected from the desk", text };
  }
  if (phase === "stale") {
    return { id: "stale", kind: "warn", title: "Prices are delayed", text: `Nothing heard${since}.` };
  }
  return null;
}
