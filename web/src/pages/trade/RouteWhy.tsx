/** Why this route: the server's sentence, the legs with their shares, and what came second. */
import { bps } from "../../format";
import { type Route, othersOf, percent, wayOf } from "./shapes";

export function RouteWhy({ route }: { route: Route }) {
  const split = route.legs.length > 1;
  const others = othersOf(route);
  return (
    <div className="trade-why">
      <p>
        <strong>Why this route</strong>
        {route.floor && <span className="quiet"> on {route.floor}</span>}: {route.reason}.
      </p>
      {split && (
        <ul className="trade-legs" aria-label="Shares">
          {route.legs.map((leg) => (
            <li key={leg.pool}>
              <span className="trade-leg-bar" style={{ width: `${Number(leg.share) * 100}%` }} aria-hidden="true" />
              <span>{leg.name}</span>
              <span className="num">{percent(leg.share)}</span>
            </li>
          ))}
        </ul>
      )}
      {route.runnerUp && (
        <p className="quiet">
          Runner-up: {wayOf(route.runnerUp)}
          {route.runnerUp.worseBps ? `, ${worse(route.runnerUp.worseBps)}` : ""}.
        </p>
      )}
      {route.gapBps && (
        <p className="quiet" title="the bound is computed from the same pools">
          {/[1-9]/.test(route.gapBps) ? `Within ${bps(route.gapBps)} of what no route can beat.` : "No route over these pools can beat it."}
          {/[1-9]/.test(route.roomBps ?? "") && ` ${bps(route.roomBps ?? "")} of it because one transaction holds no more pools.`}
        </p>
      )}
      {others.length > 0 && (
        <details>
          <summary>{others.length === 1 ? "Another way" : `${others.length} other ways`} looked at</summary>
          <ul className="trade-others">
            {others.map((one) => (
              <li key={`${one.kind}-${one.name}`}>
                {wayOf(one)}:{" "}
                {one.error ? <span className="warn">{one.error.detail}</span> : worse(one.worseBps)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** Quoted better is not landed better: some ways cost more to execute than they gain. */
function worse(points: string | undefined): string {
  if (points === undefined) return "";
  return points.startsWith("-") ? `quotes ${bps(points.slice(1))} better` : `${bps(points)} worse`;
}
