/**
 * The ticket's state: what was typed, what the desk says about it, and what may be done now.
 *
 * form → draft → preview → button (`ticketState`) → question → send → order. The view draws this.
 */
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Schema } from "../../api/client";
import { useBalances, useLimits, useSystem, useTrading } from "../../api/queries";
import { useCan } from "../../api/session";
import { useSettings } from "../../api/settings";
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { useNow } from "../../ui";
import { parse } from "./amounts";
import { type Form, type Purse, SLIPPAGE, draftOf, limitOf, missing, paysPriority, portion, slippageOf } from "./form";
import { type PairPrice, usePairPrice } from "./prices";
import { mustConfirm } from "./sending";
import { type Facts, type PreviewFact, impactOf, ticketState } from "./ticketState";
import { type Previewing, usePreview } from "./usePreview";
import { type SendHooks, useSend } from "./useSend";

type Market = Schema<"MarketView">;

const AGE_MAX_MS = 10_000; // where the limits may not be read
const CONFIRM_BELOW_USD = "1000";
const OFTEN_MS = 10_000;

export const EMPTY: Form = { side: "BUY", amount: "", limit: "", slippage: SLIPPAGE, priority: "" };

/** Return everything the ticket of a market shows and does. */
export function useTicket(market: Market, start: Partial<Form>, hooks: Pick<SendHooks, "placed">) {
  const [form, setForm] = useState<Form>({ ...EMPTY, ...start });
  const [accepted, setAccepted] = useState(false);
  const [asking, setAsking] = useState(false);
  const purse = usePurse(market);
  const limits = useLimits();
  const price = usePairPrice(market);
  const { settings } = useSettings();
  const mayTrade = useCan()("orders:write");
  const system = useSystem();

  const amount = parse(form.amount, market.baseDecimals);
  const draft = draftOf(market.pair, form, amount);
  const sender = useSend({
    placed(placed, sent) {
      setForm((now) => ({ ...now, amount: "" }));
      setAsking(false);
      hooks.placed(placed, sent);
    },
    moved: (preview) => previewing.take(preview),
  });
  const inFlight = sender.state.phase === "sending" || sender.state.phase === "unknown";
  const spent = { form, traded: market, purse, amount, price: price.value };
  const short = missing({ ...spent, maximumPaid: null }) !== null; // the server would refuse it
  const previewing = usePreview(short ? null : draft, asking || inFlight);
  const facts: Facts = {
    side: form.side,
    base: market.base,
    quote: market.quote,
    mayTrade,
    halted: useHalted(),
    link: useCell(live.link).phase,
    amount,
    limit: limitOf(form),
    slippage: slippageFact(form, limitValue(limits.data, "slippage_bps_max")),
    missing: missing({ ...spent, maximumPaid: previewing.prepared?.preview.maximumPaid ?? null }),
    price: priceFact(price, limitValue(limits.data, "price_age_ms_max")),
    preview: usePreviewFact(previewing),
    impactAccepted: accepted,
    sending: sender.state.phase === "refused" ? "no" : sender.state.phase,
  };
  const state = ticketState(facts);

  const wanted = JSON.stringify(draft);
  useEffect(() => setAccepted(false), [wanted]);
  const { clear } = sender;
  useEffect(() => {
    if (!inFlight) clear();
  }, [wanted]); // a refusal belongs to what was refused

  const gone = asking && !previewing.prepared && !previewing.loading;
  useEffect(() => {
    if (gone) setAsking(false);
  }, [gone]);

  const change = useCallback((some: Partial<Form>) => setForm((now) => ({ ...now, ...some })), []);
  const preset = (percent: number) => {
    const text = portion(percent, { form, traded: market, purse, price: price.value });
    if (text !== null) change({ amount: text });
  };
  const act = () => {
    const { prepared } = previewing;
    if (state.act === "preview") previewing.ask();
    if (state.act === "accept") clear();
    if (state.act !== "send" || !prepared) return;
    const below = settings.confirm === "large" ? confirmBelow(settings) : null;
    const { priceImpactBps, usage } = prepared.preview;
    if (mustConfirm({ below, orderUsd: usage.orderUsd, impact: impactOf(priceImpactBps) })) setAsking(true);
    else sender.send(prepared);
  };
  return {
    form, change, preset, act, state, facts, draft, purse, price, limits: limits.data,
    previewing, sender, accepted, setAccepted, asking, setAsking,
    paysPriority: paysPriority(system.data?.mode),
  };
}

export type Ticket = ReturnType<typeof useTicket>;

/** Read both balances of a market from the desk's wallet; null is not known. */
function usePurse(market: Market): Purse {
  const may = useCan()("account:read");
  const system = useSystem();
  const wallet = system.data?.wallet ?? null;
  const { data } = useBalances(may ? wallet : null, { everyMs: OFTEN_MS });
  return useMemo(() => {
    const of = (symbol: string) => (data ? (data.balances[symbol] ?? "0") : null);
    return { base: of(market.base), quote: of(market.quote) };
  }, [data, market.base, market.quote]);
}

function useHalted(): string | null {
  const may = useCan()("account:read");
  const { data } = useTrading(undefined, { enabled: may, everyMs: OFTEN_MS });
  if (!data || data.trading) return null;
  return (data.desk ?? data.account)?.reason ?? "no reason was given";
}

function usePreviewFact(previewing: Previewing): PreviewFact {
  const now = useNow();
  const { prepared, loading, error } = previewing;
  if (prepared && Date.parse(prepared.preview.expiresAt) > now)
    return { kind: "ready", impact: impactOf(prepared.preview.priceImpactBps) };
  if (loading) return { kind: "loading" };
  if (error) return { kind: "failed", code: error.code };
  return { kind: prepared ? "expired" : "none" };
}

function priceFact(price: PairPrice, ageMaxMs: unknown): Facts["price"] {
  if (price.ageMs === null || price.validity === null) return null;
  const most = typeof ageMaxMs === "number" ? ageMaxMs : AGE_MAX_MS;
  return { ageMs: price.ageMs, ageMaxMs: most, validity: price.validity, valid: price.valid };
}

function slippageFact(form: Form, most: unknown): Facts["slippage"] {
  const bps = slippageOf(form);
  if (bps === null) return "invalid";
  return typeof most === "number" && bps > most ? "above" : "ok";
}

/** Return what holds of a limit; undefined where it is not known. */
export function limitValue(limits: Schema<"LimitsView"> | undefined, name: string): unknown {
  return limits?.limits.find((limit) => limit.name === name)?.value;
}

/** Return the size in US dollars up to which orders are not asked about. */
export function confirmBelow(settings: { [name: string]: unknown }): string {
  const told = settings.confirmBelowUsd;
  return typeof told === "string" && /^\d+(\.\d+)?$/.test(told) ? told : CONFIRM_BELOW_USD;
}
