/** The ticket: side, amount, bounds, the live preview, and the one button that says what it does. */
import { type FormEvent, type KeyboardEvent, useId } from "react";
import type { Schema } from "../../api/client";
import { size, usd } from "../../format";
import { Button, ErrorBox, Field, Kbd, Money, Panel, Segmented, Select } from "../../ui";
import { times, fromRaw } from "./amounts";
import { ConfirmMenu } from "./ConfirmMenu";
import { ConfirmOrder } from "./ConfirmOrder";
import { PRESETS, PRIORITIES } from "./form";
import { PreviewPanel } from "./PreviewPanel";
import { StillUnknown } from "./StillUnknown";
import type { Side } from "./ticketState";
import type { Ticket as Held } from "./useTicket";
import "./ticket.css";

export function Ticket({ market, ticket }: { market: Schema<"MarketView">; ticket: Held }) {
  const { form, change, state, facts, sender } = ticket;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ticket.previewing.ask();
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!event.repeat) ticket.act();
  };
  const buys = form.side === "BUY";
  return (
    <Panel title="Order ticket" className="trade-ticket" actions={<ConfirmMenu />}>
      <form className="trade-form" onSubmit={submit} onKeyDown={keys} noValidate data-ticket>
        <Segmented<Side>
          label="Side"
          value={form.side}
          onChange={(side) => change({ side })}
          options={[
            { value: "BUY", label: `Buy ${market.base}`, kind: "buy" },
            { value: "SELL", label: `Sell ${market.base}`, kind: "sell" },
          ]}
        />
        <Amount market={market} ticket={ticket} />
        <div className="trade-bounds">
          <Field
            label="Limit price"
            hint="empty: at market"
            unit={market.quote}
            inputMode="decimal"
            autoComplete="off"
            placeholder="market"
            value={form.limit}
            onChange={(event) => change({ limit: event.target.value })}
          />
          <Field
            label="Slippage"
            hint="worst price accepted"
            unit="bps"
            inputMode="numeric"
            autoComplete="off"
            value={form.slippage}
            onChange={(event) => change({ slippage: event.target.value })}
          />
          {ticket.paysPriority && (
            <Select
              label="Priority"
              hint={PRIORITIES.find(({ value }) => value === form.priority)?.pays}
              value={form.priority}
              onChange={(priority) => change({ priority })}
              options={PRIORITIES}
            />
          )}
        </div>
        <PreviewPanel market={market} ticket={ticket} />
        {sender.state.phase === "refused" && (
          <ErrorBox error={sender.state.error} title="The order was not placed" onRetry={ticket.previewing.ask} />
        )}
        <StillUnknown state={sender.state} />
        <div className="trade-send-bar">
          <Button
            className="trade-send"
            kind={state.act === "send" ? (buys ? "buy" : "sell") : undefined}
            busy={facts.sending === "sending" || facts.sending === "unknown"}
            disabled={state.act === "none"}
            data-state={state.name}
            onClick={ticket.act}
          >
            {state.text}
          </Button>
        </div>
        <p className="sr-only" role="status">
          {state.text}
        </p>
        {facts.mayTrade ? <Keys /> : <Forbidden />}
      </form>
      <ConfirmOrder market={market} ticket={ticket} />
    </Panel>
  );
}

function Amount({ market, ticket }: { market: Schema<"MarketView">; ticket: Held }) {
  const { form, facts, purse, price } = ticket;
  const hint = useId();
  const text = facts.amount.kind === "amount" ? facts.amount.text : null;
  const worth = text && price.value ? times(text, price.value, market.quoteDecimals) : null;
  const gives = form.side === "BUY" ? market.quote : market.base;
  const held = form.side === "BUY" ? purse.quote : purse.base;
  return (
    <div className="trade-amount">
      <Field
        label="Amount"
        unit={market.base}
        inputMode="decimal"
        autoComplete="off"
        autoCorrect="off"
        placeholder="0"
        data-amount
        value={form.amount}
        onChange={(event) => ticket.change({ amount: event.target.value })}
      />
      <div className="trade-presets" role="group" aria-label={`Share of the ${gives} there is`}>
        {PRESETS.map((percent) => (
          <Button key={percent} small onClick={() => ticket.preset(percent)} disabled={held === null}>
            {percent === 100 ? "Max" : `${percent} %`}
          </Button>
        ))}
      </div>
      <p className="trade-held" id={hint}>
        <span>
          Wallet <Money value={held} unit={gives} />
        </span>
        {worth !== null && (
          <span className="quiet" title="at the reference price">
            ≈ {market.quote === "USDC" || market.quote === "USDT" ? usd(fromRaw(worth, market.quoteDecimals)) : size(fromRaw(worth, market.quoteDecimals))}
          </span>
        )}
      </p>
    </div>
  );
}

function Forbidden() {
  return (
    <p className="trade-forbidden">
      You may preview, not send: orders take the permission <code>orders:write</code>, which the roles trader, approver,
      admin and owner have. An admin can change your role.
    </p>
  );
}

function Keys() {
  return (
    <p className="trade-keys quiet">
      <Kbd>b</Kbd> <Kbd>s</Kbd> side · <Kbd>1</Kbd>–<Kbd>4</Kbd> share · <Kbd>Enter</Kbd> preview ·{" "}
      <Kbd>Ctrl+Enter</Kbd> send
    </p>
  );
}
