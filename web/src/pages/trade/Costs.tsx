/** Price, impact, fees, the bound, and the balances before and after; what moved is shown as a change. */
import type { ReactNode } from "react";
import type { Schema } from "../../api/client";
import { add, money, pct, price, size, sub } from "../../format";
import { BeforeAfter } from "../../ui";
import type { Purse } from "./form";
import type { Preview } from "./shapes";
import { impactOf } from "./ticketState";

const TONE = { small: undefined, amber: "warn", red: "down" };

export interface CostsProps {
  market: Schema<"MarketView">;
  preview: Preview;
  /** The numbers the trader saw last, where they moved since. */
  before: Preview | null;
  purse: Purse;
}

export function Costs({ market, preview, before, purse }: CostsProps) {
  const buys = preview.direction === "BUY";
  const bound = preview.maximumPaid ?? preview.minimumReceived;
  const was = before && (before.maximumPaid ?? before.minimumReceived);
  const impact = impactOf(preview.priceImpactBps);
  const { pool, network, priority, platform } = preview.fees;
  return (
    <dl className="trade-costs">
      <Line name="Expected price" unit={market.quote}>
        <Change was={before && price(before.executionPrice)} now={price(preview.executionPrice)} />
      </Line>
      <Line name="Price impact" tone={TONE[impact]}>
        {impact !== "small" && <span aria-hidden="true">▲ </span>}
        <Change was={before && pct(before.priceImpactBps)} now={pct(preview.priceImpactBps)} />
      </Line>
      <Line name={buys ? "Maximum paid" : "Minimum received"} unit={market.quote} strong>
        <Change was={was ? money(was) : null} now={money(bound)} />
      </Line>
      <Line name="Pool fees" unit={market.quote}>
        {money(pool)}
      </Line>
      <Line name="Network + priority fee" unit="SOL">
        {money(network)} + {money(priority)}
      </Line>
      {platform !== undefined && platform !== "0" && (
        <Line name="Platform fee" unit={market.quote}>
          {money(platform)}
        </Line>
      )}
      <After symbol={market.base} held={purse.base} moves={preview.amount} gains={buys} />
      {bound && <After symbol={market.quote} held={purse.quote} moves={bound} gains={!buys} bound />}
    </dl>
  );
}

interface LineProps {
  name: string;
  children: ReactNode;
  unit?: string | undefined;
  tone?: string | undefined;
  strong?: boolean;
}

export function Line({ name, children, unit, tone, strong }: LineProps) {
  return (
    <div className={strong ? "trade-line trade-line-strong" : "trade-line"}>
      <dt>{name}</dt>
      <dd className={`num ${tone ?? ""}`}>
        {children}
        {unit && <span className="quiet"> {unit}</span>}
      </dd>
    </div>
  );
}

function Change({ was, now }: { was: string | null; now: string }) {
  return was === null || was === now ? <>{now}</> : <BeforeAfter before={was} after={now} />;
}

interface AfterProps {
  symbol: string;
  held: string | null;
  moves: string;
  gains: boolean;
  bound?: boolean;
}

function After({ symbol, held, moves, gains, bound = false }: AfterProps) {
  if (held === null) return null;
  const after = gains ? add(held, moves) : sub(held, moves);
  return (
    <Line name={`Balance ${symbol}`} unit={symbol}>
      <BeforeAfter before={size(held)} after={`${bound ? "≥ " : ""}${size(after)}`} />
    </Line>
  );
}
