/** What is the matter with market data now, and what was. */
import { useState } from "react";
import { useAlerts } from "../../api/queries";
import type { Schema } from "../../api/client";
import { Age, Chip, Empty, Panel, Table, Tabs, tabPanel } from "../../ui";
import { figure } from "../activity/figure";
import { Loaded } from "../activity/Loaded";
import { When } from "../activity/timelineColumns";

type Alert = Schema<"AlertView">;
type Which = "current" | "recent";

export function Alerts() {
  const [which, setWhich] = useState<Which>("current");
  const found = useAlerts({ everyMs: 5_000 });
  const { data } = found;
  return (
    <Panel title="Alerts" flush>
      <Tabs
        label="Alerts"
        name="alerts"
        tabs={[
          { id: "current", label: "Now", count: data?.current.length },
          { id: "recent", label: "Ended", count: data?.recent.length },
        ]}
        value={which}
        onChange={setWhich}
      />
      <div {...tabPanel(which, "alerts")}>
        <Loaded query={found} permission="market:read" rows={2}>
          {(alerts) => <Listed rows={alerts[which]} which={which} />}
        </Loaded>
      </div>
    </Panel>
  );
}

function Listed({ rows, which }: { rows: readonly Alert[]; which: Which }) {
  return (
    <Table<Alert>
      caption={which === "current" ? "Alerts that stand" : "Alerts that ended, the latest first"}
      rows={rows}
      rowKey={(row) => String(row.id)}
      empty={
        <Empty title={which === "current" ? "Nothing is the matter with market data." : "No alert has ended yet."} />
      }
      columns={[
        {
          id: "kind",
          head: "Kind",
          cell: (row) => <Chip kind={which === "current" ? "warn" : "quiet"}>{row.kind}</Chip>,
        },
        { id: "about", head: "About", cell: (row) => about(row) },
        {
          id: "detail",
          head: "What can be done",
          cell: (row) => <span className="activity-wrap">{row.detail}</span>,
          hideBelow: 900,
        },
        figure("times", "Times", (row) => row.times, { hideBelow: 560 }),
        {
          id: "since",
          head: which === "current" ? "For" : "Ended",
          cell: (row) => (row.endedAt === null ? <Age at={row.begunAt} /> : <When at={row.endedAt} />),
        },
      ]}
    />
  );
}

function about({ source, symbol, currency }: Alert): string {
  return [source, symbol, currency].filter(Boolean).join(" ") || "the desk";
}
