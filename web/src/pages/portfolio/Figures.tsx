/** Prices and sizes as tables show them: as many digits as help, every digit in the title. */
import { price, size } from "../../format";
import { Unknown } from "../../ui";

export function Price({ value }: { value: string | null }) {
  if (value === null) return <Unknown />;
  return (
    <span className="num" title={value}>
      {price(value)}
    </span>
  );
}

export function Size({ value, unit }: { value: string; unit?: string }) {
  return (
    <span className="num" title={unit ? `${value} ${unit}` : value}>
      {size(value)}
      {unit && <span className="ui-money-unit"> {unit}</span>}
    </span>
  );
}
