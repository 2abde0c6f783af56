/** How much of each limit this order would leave, by the counts of the risk kernel. */
import type { Schema } from "../../api/client";
import { add, compare, sub, usd } from "../../format";
import { Line } from "./Costs";
import type { Usage } from "./shapes";
import { limitValue } from "./useTicket";

export interface LimitsProps {
  limits: Schema<"LimitsView"> | undefined;
  usage: Usage | undefined;
}

export function Limits({ limits, usage }: LimitsProps) {
  if (!limits) return null;
  const order = limitValue(limits, "order_notional_usd_max");
  const day = limitValue(limits, "day_notional_usd_max");
  const open = limitValue(limits, "open_orders_max");
  if (order === null && day === null && open === null) return null;
  return (
    <details className="trade-limits">
      <summary>Limits left after this order</summary>
      <dl className="trade-costs">
        {typeof order === "string" && <Line name="Per order">{left(order, usage?.orderUsd)}</Line>}
        {typeof day === "string" && (
          <Line name="Today (UTC)">{left(day, usage && add(usage.dayUsd, usage.orderUsd))}</Line>
        )}
        {typeof open === "number" && (
          <Line name="Open orders">{usage ? `${open - usage.openOrders - 1} of ${open}` : open}</Line>
        )}
      </dl>
    </details>
  );
}

function left(bound: string, used: string | undefined): string {
  if (used === undefined) return usd(bound);
  const rest = sub(bound, used);
  return `${usd(compare(rest, "0") < 0 ? "0" : rest)} of ${usd(bound)}`;
}
