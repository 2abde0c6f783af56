/** A change: sign, arrow and color together, so that none of them is needed to read it. */
import { money } from "../format";
import { Unknown } from "./Money";
import "./ui.css";

export interface DeltaProps {
  /** A decimal string; null or undefined is unknown. */
  value: string | null | undefined;
  unit?: string | undefined;
  decimals?: number | undefined;
}

export function Delta({ value, unit, decimals }: DeltaProps) {
  if (value === null || value === undefined) return <Unknown />;
  const way = direction(value);
  const sign = way === "up" ? "+" : "";
  const gap = unit && unit !== "%" ? " " : "";
  return (
    <span className={`num ${way}`} title={`${value}${gap}${unit ?? ""}`}>
      {way && <span aria-hidden="true">{way === "up" ? "▲ " : "▼ "}</span>}
      {sign}
      {money(value, decimals)}
      {unit && `${gap}${unit}`}
    </span>
  );
}

/** Return which way a decimal string points; "" is zero. */
export function direction(value: string): "up" | "down" | "" {
  if (!/[1-9]/.test(value)) return "";
  return /^[-−]/.test(value) ? "down" : "up";
}
