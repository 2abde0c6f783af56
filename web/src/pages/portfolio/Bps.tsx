/** A cost in basis points: worse and better differ by sign, word on hover and color. */
import { money } from "../../format";
import { Unknown, direction } from "../../ui";

export interface BpsProps {
  value: string | null;
  /** Without color, where it is no cost. */
  plain?: boolean;
}

export function Bps({ value, plain = false }: BpsProps) {
  if (value === null) return <Unknown />;
  const way = direction(value);
  // A cost that rises is bad: colors are the other way round than for gains.
  const color = plain || way === "" ? "" : way === "up" ? "down" : "up";
  const meaning = plain || way === "" ? "" : way === "up" ? " worse" : " better";
  return (
    <span className={`num ${color}`} title={`${value} bps${meaning}`}>
      {way === "up" && !plain ? "+" : ""}
      {money(value, 2)}
    </span>
  );
}
