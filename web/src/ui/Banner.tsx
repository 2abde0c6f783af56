/** A line across the page that must be read: halted, disconnected, delayed, or a plain notice. */
import type { ReactNode } from "react";
import "./ui.css";

export type BannerKind = "bad" | "warn" | "info" | "good";

const MARKS: Record<BannerKind, string> = { bad: "■", warn: "▲", info: "ℹ", good: "✓" };

export function Banner({ kind, children, actions }: { kind: BannerKind; children: ReactNode; actions?: ReactNode }) {
  return (
    <div className={`ui-banner ui-banner-${kind}`} role={kind === "bad" ? "alert" : "status"}>
      <span className="ui-banner-mark" aria-hidden="true">
        {MARKS[kind]}
      </span>
      <div className="ui-banner-text">{children}</div>
      {actions}
    </div>
  );
}
