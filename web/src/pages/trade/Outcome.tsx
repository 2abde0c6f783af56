/** What was asked, and what really moved: realized amounts of the chain beside what the route expected. */
import { bps, dateTime, div, money, mul, price, sub } from "../../format";
import { Address, Panel } from "../../ui";
import { fromRaw, plain } from "./amounts";
import { Line } from "./Costs";
import { isOpen } from "./orderWords";
import { type OrderDoc, routeOf } from "./shapes";

const LAMPORTS = 9;

export function Outcome({ order }: { order: OrderDoc }) {
  const [base = "", quote = ""] = order.pair.split("-");
  const { filled } = order;
  const route = routeOf(order.route);
  const expected = route?.legs.map((leg) => leg.quote);
  const buys = order.direction === "BUY";
  return (
    <Panel title="Asked and realized">
      <dl className="trade-costs">
        <Line name="Asked" unit={base}>
          {buys ? "Buy" : "Sell"} {money(plain(order.amount))}
        </Line>
        <Line name="Limit price" unit={order.limitPrice == null ? undefined : quote}>
          {order.limitPrice == null ? "at market" : price(plain(order.limitPrice))}
        </Line>
        <Line name="Slippage accepted">{bps(order.slippageBps)}</Line>
        {order.priority && <Line name="Priority">{order.priority}</Line>}
        {order.expiresAt && isOpen(order.status) && <Line name="Expires">{dateTime(order.expiresAt)}</Line>}
        {filled ? (
          <>
            <Line name={buys ? "Received" : "Paid"} unit={base} strong>
              {money(filled.base)}
            </Line>
            <Line name={buys ? "Paid" : "Received"} unit={quote} strong>
              {money(filled.quote)}
            </Line>
            {order.executionPrice != null && (
              <Line name="Realized price" unit={quote}>
                <span title={plain(order.executionPrice)}>{price(plain(order.executionPrice))}</span>
              </Line>
            )}
            {expected && expected.length > 0 && (
              <Line name="Against the route's expectation">{against(total(expected), filled.quote, buys)}</Line>
            )}
            {route?.poolFees !== undefined && (
              <Line name="Pool fees, in the price" unit={quote}>
                {money(route.poolFees)}
              </Line>
            )}
            <Line name="Network + priority fee" unit="SOL">
              {money(fromRaw(BigInt(filled.networkFeeLamports), LAMPORTS))}
            </Line>
            {filled.platformFee !== "0" && <Line name="Platform fee">{money(filled.platformFee)}</Line>}
            {Object.entries(filled.otherFees ?? {}).map(([symbol, fee]) => (
              <Line key={symbol} name="Other fee" unit={symbol}>
                {money(fee)}
              </Line>
            ))}
          </>
        ) : (
          <Line name="Realized">{isOpen(order.status) ? "nothing yet" : "nothing was traded"}</Line>
        )}
        <Line name="Transaction">{order.txHash ? <Address kind="tx" value={order.txHash} /> : "none was sent"}</Line>
      </dl>
    </Panel>
  );
}

function total(amounts: readonly string[]): string {
  return amounts.reduce((sum, one) => sub(sum, sub("0", one)), "0");
}

/** Say by how much the realized quote amount is better or worse than expected. */
function against(expected: string, realized: string, buys: boolean): string {
  const better = buys ? sub(expected, realized) : sub(realized, expected);
  const points = div(mul(better, "10000"), expected, 2, "half");
  if (!/[1-9]/.test(points)) return "exactly as expected";
  return points.startsWith("-") ? `${bps(points.slice(1))} worse` : `${bps(points)} better`;
}
