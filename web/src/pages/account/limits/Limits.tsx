/** What bounds one's orders and who says so; the strictest of settings, desk and account holds. Changing, and how it came to that. */
import { useState } from "react";
import type { Schema } from "../../../api/client";
import { useLimits } from "../../../api/queries";
import { Button, type Column, Panel, Table } from "../../../ui";
import { Shown } from "../parts";
import { EditLimits } from "./EditLimits";
import { History } from "./History";
import { known, shown, SOURCES } from "./names";

type Limit = Schema<"LimitView">;

export function Limits() {
  const limits = useLimits();
  const [editing, setEditing] = useState(false);
  return (
    <div className="account-stack">
      <Panel
        title="What bounds your orders now"
        actions={
          <Button small disabled={!limits.data} onClick={() => setEditing(true)}>
            Change
          </Button>
        }
      >
        <p className="quiet">The strictest of the three holds, limit by limit; no change can loosen what another says.</p>
        <Shown of={limits} rows={7}>
          {(data) => <Table caption="Limits" columns={COLUMNS} rows={data.limits} rowKey={(row) => row.name} />}
        </Shown>
      </Panel>
      <Panel title="How it came to that">
        <History />
      </Panel>
      {editing && limits.data && <EditLimits limits={limits.data} onClose={() => setEditing(false)} />}
    </div>
  );
}

const said = (row: Limit, value: unknown) => <span className="num">{value === null ? "—" : shown(row.name, value)}</span>;

const COLUMNS: Column<Limit>[] = [
  { id: "name", head: "Limit", cell: (row) => <span className="account-wrap">{known(row.name)?.label ?? row.name}</span> },
  {
    id: "value",
    head: "Holds",
    align: "right",
    cell: (row) => <strong className="num">{shown(row.name, row.value)}</strong>,
  },
  { id: "source", head: "Said by", cell: (row) => (row.source ? (SOURCES[row.source] ?? row.source) : "—"), hideBelow: 560 },
  { id: "settings", head: "Settings", align: "right", cell: (row) => said(row, row.settings), hideBelow: 900 },
  { id: "desk", head: "Desk", align: "right", cell: (row) => said(row, row.desk), hideBelow: 900 },
  { id: "account", head: "Yours", align: "right", cell: (row) => said(row, row.account), hideBelow: 900 },
];
