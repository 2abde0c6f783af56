/** The question before an order is sent: the numbers stand still while it is read, and may run out. */
import { type RefObject, useEffect, useRef } from "react";
import type { Schema } from "../../api/client";
import { Button, Countdown, Dialog, ErrorBox, Kbd, useNow } from "../../ui";
import { Costs } from "./Costs";
import { orderName } from "./orderWords";
import { RouteWhy } from "./RouteWhy";
import { type Preview, routeOf } from "./shapes";
import { StillUnknown } from "./StillUnknown";
import { limitNote } from "./ticketState";
import type { Ticket } from "./useTicket";

export function ConfirmOrder({ market, ticket }: { market: Schema<"MarketView">; ticket: Ticket }) {
  const { asking, setAsking, previewing, sender } = ticket;
  const now = useNow();
  const seen = useRef<Preview | null>(null);
  const { prepared, error, loading } = previewing;
  const fresh = prepared !== null && Date.parse(prepared.preview.expiresAt) > now;
  const { phase } = sender.state;
  useEffect(() => {
    if (!asking) seen.current = null;
  }, [asking]);
  const press = useRef<() => void>(() => undefined);
  useSendKeys(asking, press);
  if (!asking || !prepared) return null;
  seen.current ??= prepared.preview;
  const before = seen.current === prepared.preview ? null : seen.current;
  const busy = phase === "sending" || phase === "unknown";
  const close = () => phase !== "sending" && setAsking(false);
  const again = () => {
    seen.current = prepared.preview;
    sender.clear();
    previewing.ask();
  };
  const send = () => {
    seen.current = prepared.preview;
    sender.send(prepared);
  };
  press.current = () => fresh && !busy && send();
  const name = orderName(prepared.draft);
  const route = routeOf(prepared.preview.route);
  return (
    <Dialog
      open
      onClose={close}
      title={`${name}?`}
      actions={
        <>
          <Button onClick={close} disabled={phase === "sending"}>
            Back
          </Button>
          {fresh || busy ? (
            <Button
              kind={prepared.draft.direction === "BUY" ? "buy" : "sell"}
              busy={busy}
              onClick={send}
            >
              {phase === "unknown" ? "Unknown: checking" : name}
            </Button>
          ) : (
            <Button kind="primary" busy={loading} onClick={again}>
              Show new numbers
            </Button>
          )}
        </>
      }
    >
      <div className="trade-confirm">
        <p>
          {limitNote(ticket.facts) ?? "At market."} Quote valid: <Countdown until={prepared.preview.expiresAt} />
        </p>
        {before && <Moved before={before} now={prepared.preview} />}
        {phase === "moved" && <p className="warn">The quote had expired, so nothing was placed. Look at the new numbers.</p>}
        <StillUnknown state={sender.state} />
        {phase === "refused" && <ErrorBox error={sender.state.error} title="The order was not placed" />}
        {error && <ErrorBox error={error} onRetry={again} />}
        {route && <RouteWhy route={route} />}
        <Costs market={market} preview={prepared.preview} before={before} purse={ticket.purse} />
        <p className="trade-keys quiet">
          <Kbd>Ctrl+Enter</Kbd> sends
        </p>
      </div>
    </Dialog>
  );
}

function Moved({ before, now }: { before: Preview; now: Preview }) {
  const same = (["executionPrice", "maximumPaid", "minimumReceived", "priceImpactBps"] as const).every(
    (name) => before[name] === now[name],
  );
  if (same) return <p className="quiet">The new quote has the same numbers.</p>;
  return <p className="warn">The numbers moved since you looked; what changed is shown as before → now.</p>;
}

/** Ctrl+Enter answers the question, wherever focus stands; no single key does. */
function useSendKeys(on: boolean, press: RefObject<() => void>): void {
  useEffect(() => {
    if (!on) return undefined;
    const hear = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) press.current();
    };
    document.addEventListener("keydown", hear, true);
    return () => document.removeEventListener("keydown", hear, true);
  }, [on, press]);
}
