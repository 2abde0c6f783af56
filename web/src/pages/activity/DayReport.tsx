/** What a UTC day came to: acts, refusals, events and blocks. */
import type { Schema } from "../../api/client";
import { live } from "../../live/store";
import { Chip, Download, Empty, Field, Panel, Table } from "../../ui";
import { change, useQueryText } from "./address";
import { figure } from "./figure";
import { Loaded } from "./Loaded";
import { useReport } from "./reads";
import { called } from "./words";

export function DayReport() {
  const today = new Date(live.now()).toISOString().slice(0, 10);
  const asked = useQueryText().day;
  const day = asked !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(asked) ? asked : today;
  const found = useReport(day);
  return (
    <Panel
      title="Daily report"
      flush
      actions={
        <Download name={`report-${day}`} rows={found.data?.acts.map((act) => ({ ...act })) ?? []} json={found.data} />
      }
    >
      <div className="activity-bar">
        <Field
          type="date"
          label="UTC day"
          value={day}
          max={today}
          onChange={(event) => change({ day: event.target.value === today ? "" : event.target.value })}
        />
      </div>
      <Loaded query={found} permission="security:read">
        {(report) => (
          <>
            <p className="activity-sum">
              {report.events.length === 0 ? "No security event" : "Security events: "}
              {report.events.map((one) => (
                <Chip key={`${one.kind}${one.severity}`} kind={one.severity === "critical" ? "bad" : "warn"}>
                  {one.events} × {one.kind}
                </Chip>
              ))}
              , <span className="num">{report.blocks}</span> kept out now.
            </p>
            <Table<Schema<"ActCount">>
              caption={`Acts of ${report.day}`}
              rows={report.acts}
              rowKey={(act) => act.action}
              empty={<Empty title="Nothing was done on this day." />}
              columns={[
                { id: "action", head: "Act", cell: (act) => <span title={act.action}>{called(act.action)}</span> },
                figure("acts", "Times", (act) => act.acts, { sort: (act) => act.acts }),
                figure("refused", "Refused", (act) => act.refused, { sort: (act) => act.refused }),
                figure("accounts", "Accounts", (act) => act.accounts, { hideBelow: 560 }),
                figure("networks", "Networks", (act) => act.networks, { hideBelow: 560 }),
              ]}
            />
          </>
        )}
      </Loaded>
    </Panel>
  );
}
