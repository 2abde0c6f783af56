/** Security: what acts added up to, who is kept out, and what a day came to (security:read). */
import type { Schema } from "../../api/client";
import { useCan } from "../../api/session";
import { Button, Chip, Download, Empty, Panel, Segmented, Select, Table } from "../../ui";
import { change, useQueryText } from "./address";
import { Blocks } from "./Blocks";
import { DayReport } from "./DayReport";
import { figure } from "./figure";
import { Forbidden, Loaded } from "./Loaded";
import { useEvents, useNames } from "./reads";
import { When } from "./timelineColumns";

const SEVERITIES = ["", "critical", "warning", "notice"] as const;
type Severity = (typeof SEVERITIES)[number];
const KIND = { critical: "bad", warning: "warn", notice: "info" } as const;

/** src/quantdesk/access/threats/rules.py */
const KINDS = [
  "audit_tamper",
  "brute_force",
  "brute_force.network",
  "credential_stuffing",
  "nonce_reuse",
  "privilege_probing",
  "session_change",
  "token_replay",
];

export function Security() {
  const can = useCan();
  if (!can("security:read")) {
    return (
      <Panel title="Security">
        <Forbidden permission="security:read" />
      </Panel>
    );
  }
  return (
    <div className="activity-security">
      <Events />
      <Blocks />
      <DayReport />
    </div>
  );
}

function Events() {
  const query = useQueryText();
  const severity: Severity = SEVERITIES.find((one) => one === query.severity) ?? "";
  const kind = query.kind ?? "";
  const found = useEvents({ kind, severity });
  const names = useNames();
  const events = found.data?.pages.flatMap((page) => page.events);
  return (
    <Panel
      title="Security events"
      flush
      actions={<Download name="security-events" rows={(events ?? []).map((event) => ({ ...event }))} />}
    >
      <div className="activity-bar">
        <Segmented
          label="Severity"
          value={severity}
          onChange={(value) => change({ severity: value })}
          options={SEVERITIES.map((value) => ({ value, label: value === "" ? "All" : value }))}
        />
        <Select
          label="Kind"
          hideLabel
          value={kind}
          onChange={(value) => change({ kind: value })}
          options={[{ value: "", label: "Any kind" }, ...KINDS.map((value) => ({ value, label: value }))]}
        />
      </div>
      <Loaded query={{ ...found, data: events }} permission="security:read">
        {(rows) => (
          <Table<Schema<"SecurityEventView">>
            caption="Security events, newest first"
            rows={rows}
            rowKey={(row) => row.id}
            empty={
              <Empty title={kind || severity ? "No event of this kind." : "Nothing added up to a security event."}>
                {(kind || severity) && <Button onClick={() => change({ kind: "", severity: "" })}>Show all</Button>}
              </Empty>
            }
            columns={[
              { id: "at", head: "When", cell: (row) => <When at={row.at} /> },
              {
                id: "severity",
                head: "Severity",
                cell: (row) => <Chip kind={KIND[row.severity as keyof typeof KIND] ?? "quiet"}>{row.severity}</Chip>,
              },
              { id: "kind", head: "Kind", cell: (row) => <code>{row.kind}</code> },
              {
                id: "detail",
                head: "What it means",
                cell: (row) => <span className="activity-wrap">{row.detail}</span>,
                hideBelow: 900,
              },
              figure("count", "Acts", (row) => row.count),
              { id: "who", head: "By", cell: (row) => <Subject row={row} names={names} />, hideBelow: 720 },
            ]}
          />
        )}
      </Loaded>
      {found.hasNextPage && (
        <div className="activity-more">
          <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Older events
          </Button>
        </div>
      )}
    </Panel>
  );
}

interface Of {
  subject: string;
  accountId: string | null;
}

function Subject({ row, names }: { row: Of; names: (account: string) => string | null }) {
  const name = row.accountId === null ? null : names(row.accountId);
  return <span title={row.subject}>{name ?? <span className="mono activity-wrap">{row.subject}</span>}</span>;
}
