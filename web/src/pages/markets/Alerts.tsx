/** What is the matter with market data now, and what was lately. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useAlerts } from "../../api/queries";
import { age, dateTime } from "../../format";
import { live } from "../../live/store";
import { Age, Empty, Panel } from "../../ui";
import { Loaded } from "../portfolio/Loaded";
import type { AlertView } from "./shapes";
import { alertTitle } from "./words";

const EVERY_MS = 15_000;

export function Alerts() {
  const query = useAlerts({ everyMs: EVERY_MS });
  const client = useQueryClient();
  useEffect(() => live.alerts.subscribe(() => void client.invalidateQueries({ queryKey: ["/api/alerts"] })), [client]);
  return (
    <Panel title="Alerts">
      <Loaded query={query} permission="market:read" rows={2}>
        {({ current, recent }) => (
          <>
            {current.length === 0 ? (
              <Empty title="Nothing is the matter with market data now." />
            ) : (
              <ul className="markets-alerts" aria-label="Alerts that stand">
                {current.map((alert) => (
                  <Alert key={alert.id} alert={alert} />
                ))}
              </ul>
            )}
            {recent.length > 0 && (
              <details className="markets-recent">
                <summary>{recent.length} ended</summary>
                <ul className="markets-alerts">
                  {recent.map((alert) => (
                    <Alert key={alert.id} alert={alert} />
                  ))}
                </ul>
              </details>
            )}
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function Alert({ alert }: { alert: AlertView }) {
  const about = [alert.source, alert.symbol, alert.currency].filter(Boolean).join(" ");
  return (
    <li className={alert.endedAt === null ? "markets-standing" : "quiet"}>
      <p>
        <b>{alertTitle(alert.kind)}</b> {about} <code>{alert.kind}</code>
      </p>
      <p>{alert.detail}</p>
      <p className="quiet num">
        {alert.endedAt === null ? (
          <>
            since <Age at={alert.begunAt} />
          </>
        ) : (
          `${dateTime(alert.begunAt)}, for ${age(Date.parse(alert.endedAt) - Date.parse(alert.begunAt))}`
        )}
        {alert.times > 1 && ` · ${alert.times} times`}
      </p>
    </li>
  );
}
