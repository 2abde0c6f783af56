/** Who said a price, always beside it; prices that no market made carry the word for it. */
import { madeUp } from "./words";
import "./markets.css";

export function Source({ name }: { name: string }) {
  const label = madeUp(name);
  return (
    <span className="markets-source">
      {label === name ? null : <span>{name}</span>}
      {label && (
        <span className="markets-made-up" title={`These prices are ${label}: no market made them now.`}>
          {label}
        </span>
      )}
    </span>
  );
}
