/** What the order would come to now: route, costs, bounds, balances; each number the server's. */
import type { Schema } from "../../api/client";
import { Countdown, ErrorBox, Skeleton } from "../../ui";
import { Costs } from "./Costs";
import { QuoteCompare } from "./QuoteCompare";
import { Limits } from "./Limits";
import { impactOf, limitNote } from "./ticketState";
import { pct } from "../../format";
import { quotesOf, routeOf } from "./shapes";
import { RouteWhy } from "./RouteWhy";
import type { Ticket } from "./useTicket";

export function PreviewPanel({ market, ticket }: { market: Schema<"MarketView">; ticket: Ticket }) {
  const { previewing, draft, facts, accepted, setAccepted } = ticket;
  const { prepared, loading, error } = previewing;
  if (draft === null) return null;
  if (error && !prepared) return <ErrorBox error={error} title="No preview" onRetry={previewing.ask} />;
  if (!prepared && facts.missing) return null; // there is nothing to quote
  if (!prepared) return <Skeleton rows={8} label="Getting quotes" />;
  const { preview } = prepared;
  const route = routeOf(preview.route);
  const note = limitNote(facts);
  const red = impactOf(preview.priceImpactBps) === "red";
  const moved = ticket.sender.state.phase === "moved" ? ticket.sender.state.before : null;
  return (
    <div className="trade-preview" aria-busy={loading}>
      <p className="trade-preview-head">
        <strong>Preview</strong>
        <span className="quiet">
          quote valid <Countdown until={preview.expiresAt} />
        </span>
      </p>
      {note && <p className="quiet">{note}</p>}
      {moved && <p className="warn">The quote you sent had expired; nothing was placed. These are the new numbers.</p>}
      <QuoteCompare quotes={quotesOf(preview.quotes)} route={route} market={market} side={ticket.form.side} />
      {route && <RouteWhy route={route} />}
      <Costs market={market} preview={preview} before={moved} purse={ticket.purse} />
      <Limits limits={ticket.limits} usage={preview.usage} />
      {red && (
        <label className="trade-accept down">
          <input type="checkbox" checked={accepted} onChange={(event) => setAccepted(event.target.checked)} />
          <span>I accept that this order moves the price by {pct(preview.priceImpactBps)} against me.</span>
        </label>
      )}
    </div>
  );
}
