/** Each venue's quote for the whole size, side by side; what is chosen says so in words. */
import type { Schema } from "../../api/client";
import { age, bps, money, pct, price } from "../../format";
import { Chip } from "../../ui";
import { type Quote, type Route, percent, shareIn } from "./shapes";
import { type Side, impactOf } from "./ticketState";

const TONES = { small: "quiet", amber: "warn", red: "down" };

export interface QuoteCompareProps {
  quotes: readonly Quote[];
  route: Route | null;
  market: Pick<Schema<"MarketView">, "base" | "quote">;
  side: Side;
}

export function QuoteCompare({ quotes, route, market, side }: QuoteCompareProps) {
  if (quotes.length === 0) return null;
  return (
    <div className="trade-quotes-scroll">
      <table className="trade-quotes trade-compare">
        <caption className="sr-only">Quotes of all venues for the whole size</caption>
        <thead>
          <tr>
            <th scope="col">Venue</th>
            <th scope="col" className="trade-right">
              {side === "BUY" ? "You pay" : "You get"} ({market.quote}), price
            </th>
            <th scope="col" className="trade-right">
              Fee, impact
            </th>
          </tr>
        </thead>
        <tbody>
          {quotes.map((quote, index) => (
            <Row key={quote.pool ?? `${quote.venue}-${index}`} quote={quote} share={shareIn(route, quote)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ quote, share }: { quote: Quote; share: string | null }) {
  const aged = quote.ageMs === undefined ? "" : `${age(quote.ageMs)} old`;
  const name = (
    <th scope="row" title={[quote.pool, quote.slot && `slot ${quote.slot}`, aged].filter(Boolean).join(" · ")}>
      <span>
        {quote.venue} {quote.kind}
      </span>
      {share ? (
        <Chip kind="good">{Number(share) < 1 ? `chosen, ${percent(share)}` : "chosen"}</Chip>
      ) : (
        <span className="quiet">{aged}</span>
      )}
    </th>
  );
  if (quote.error)
    return (
      <tr>
        {name}
        <td colSpan={2} className="warn" title={quote.error.code}>
          {quote.error.detail}
        </td>
      </tr>
    );
  return (
    <tr className={share ? "trade-chosen" : undefined}>
      {name}
      <td className="trade-right num">
        <span>{money(quote.amountIn ?? quote.amountOut, 2)}</span>
        <span className="quiet">{price(quote.price)}</span>
      </td>
      <td className="trade-right num">
        <span>{bps(quote.feeBps)}</span>
        <span className={TONES[impactOf(quote.priceImpactBps ?? "0")]}>{pct(quote.priceImpactBps)}</span>
      </td>
    </tr>
  );
}
