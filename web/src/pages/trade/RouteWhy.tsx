/** Why this route: the server's sentence, the legs with their shares, and what came second. */
import { bps } from "../../format";
import { type Route, percent } from "./shapes";

export function RouteWhy({ route }: { route: Route }) {
  const split = route.legs.length > 1;
  return (
    <div className="trade-why">
      <p>
        <strong>{split ? `Split over ${route.legs.length} legs` : "Why this route"}</strong>
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
          Runner-up: {route.runnerUp.plan ?? route.runnerUp.name}
          {route.runnerUp.worseBps ? `, ${worse(route.runnerUp.worseBps)}` : ""}.
        </p>
      )}
      {route.gapBps && (
        <p className="quiet" title="the bound is computed from the same pools">
          {/[1-9]/.test(route.gapBps) ? `Within ${bps(route.gapBps)} of what no route can beat.` : "No route over these pools can beat it."}
        </p>
      )}
      {route.alternatives.length > 0 && (
        <details>
          <summary>{route.alternatives.length} other ways looked at</summary>
          <ul className="trade-others">
            {route.alternatives.map((one) => (
              <li key={`${one.kind}-${one.name}`}>
                {one.plan ?? one.name}:{" "}
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
