/** An amount as the server wrote it: shown rounded down, never cut; the exact text is in the title. */
import { money } from "../format";
import "./ui.css";

export interface MoneyProps {
  /** A decimal string; null or undefined is unknown. */
  value: string | null | undefined;
  unit?: string | undefined;
  decimals?: number | undefined;
}

export function Money({ value, unit, decimals }: MoneyProps) {
  if (value === null || value === undefined) return <Unknown />;
  return (
    <span className="num" title={unit ? `${value} ${unit}` : value}>
      {money(value, decimals)}
      {unit && <span className="ui-money-unit"> {unit}</span>}
    </span>
  );
}

/** What is not known, said for ears too; unlike "none" and unlike zero. */
export function Unknown() {
  return (
    <span className="num quiet" title="not known">
      <span aria-hidden="true">—</span>
      <span className="sr-only">not known</span>
    </span>
  );
}
