/** A state in a word; the word carries it, the color only helps. */
import type { ReactNode } from "react";
import "./ui.css";

export type ChipKind = "good" | "bad" | "warn" | "info" | "quiet";

export interface ChipProps {
  kind?: ChipKind | undefined;
  children: ReactNode;
  title?: string | undefined;
}

export function Chip({ kind = "quiet", children, title }: ChipProps) {
  return (
    <span className={`ui-chip ui-chip-${kind}`} title={title}>
      {children}
    </span>
  );
}
