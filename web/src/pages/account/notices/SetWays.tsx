/** The ways that are set on this desk, and a test notice to all of them at once: what arrived, and why the others did not. */
import { type ReactNode, useState } from "react";
import { api } from "../../../api/client";
import { useNotices } from "../../../api/queries";
import { useCan } from "../../../api/session";
import { Banner, Button, Chip, type Column, ErrorBox, Panel, Table } from "../../../ui";
import { Shown } from "../parts";
import { useAct } from "../useAct";
import { type Row, rows, summary, TEST_MS, type Tested } from "./ways";

const COLUMNS: Column<Row>[] = [
  { id: "name", head: "Way", cell: (row) => row.label },
  { id: "to", head: "Goes to", cell: (row) => <To row={row} /> },
  { id: "outcome", head: "Test", cell: (row) => <Became row={row} /> },
  { id: "setting", head: "Setting", cell: (row) => <code>{row.setting}</code>, hideBelow: 560 },
  { id: "what", head: "What is told", cell: (row) => <span className="account-wrap">{row.what}</span>, hideBelow: 900 },
];

export function SetWays({ explained }: { explained: ReactNode }) {
  const notices = useNotices();
  const can = useCan();
  const { busy, error, act } = useAct();
  const [tested, setTested] = useState<Tested | null>(null);
  const send = () => {
    setTested(null); // what a test before it came to must not be read as this one's
    void act(() => api.post<Tested>("/api/security/notices/test", undefined, { timeoutMs: TEST_MS }), [], setTested);
  };
  const told = tested && summary(tested);
  return (
    <Panel
      title="Security events"
      actions={
        can("security:write") && (
          <Button small busy={busy} onClick={send}>
            Send a test
          </Button>
        )
      }
    >
      {explained}
      {busy && <Banner kind="info">The test notice is on its way. A way that does not answer takes up to a minute.</Banner>}
      {error && <ErrorBox error={error} title="The test notice was not sent" onRetry={send} />}
      {told && <Banner kind={told.kind}>{told.text}</Banner>}
      <Shown of={notices}>
        {(set) => (
          <>
            <Table caption="Ways of being told" columns={COLUMNS} rows={rows(set, tested)} rowKey={(row) => row.name} />
            {set.logOnly && !tested && (
              <p>
                Only the log is told. Nobody who does not read it hears of an event: set <code>notices.webhook_url</code>,{" "}
                <code>notices.slack_url</code> or <code>notices.email</code>.
              </p>
            )}
          </>
        )}
      </Shown>
      {!can("security:write") && (
        <p className="quiet">
          Sending a test takes the permission <code>security:write</code>.
        </p>
      )}
    </Panel>
  );
}

function To({ row }: { row: Row }) {
  if (row.to === null) return <Chip>not set</Chip>;
  return (
    <span className="account-wrap">
      {row.to}
      {row.kept && (
        <>
          {" "}
          <Chip kind="warn">stays here</Chip>
        </>
      )}
    </span>
  );
}

function Became({ row }: { row: Row }) {
  if (row.outcome === null) return <span className="quiet account-wrap">{row.kept ?? "—"}</span>;
  if (row.outcome.delivered) return <Chip kind="good">delivered</Chip>;
  return (
    <span className="account-wrap">
      <Chip kind="bad">failed</Chip> {row.outcome.detail} <code>{row.outcome.code}</code>
    </span>
  );
}
