/** Who is told of security events: settings of the desk's file, so this page says which, tries them, and changes none. */
import { useCan } from "../../../api/session";
import { Link } from "../../../shell/Link";
import { type Column, Panel, Table } from "../../../ui";
import { SetWays } from "./SetWays";
import { type Way, WAYS } from "./ways";

const COLUMNS: Column<Way>[] = [
  { id: "name", head: "Way", cell: (row) => row.label },
  { id: "setting", head: "Setting", cell: (row) => <code>{row.setting}</code> },
  { id: "what", head: "What is told", cell: (row) => <span className="account-wrap">{row.what}</span> },
];

export function Notices() {
  const can = useCan();
  return (
    <div className="account-stack">
      {can("security:read") ? (
        <SetWays explained={<Explained />} />
      ) : (
        <Panel title="Security events">
          <Explained />
          <Table caption="Ways of being told" columns={COLUMNS} rows={WAYS} rowKey={(row) => row.name} />
          <p className="quiet">
            Which of them are set, and a test of them, takes the permission <code>security:read</code>.
          </p>
        </Panel>
      )}
      <Panel title="Your account">
        <p>
          A changed password is told to your own mailbox. Orders are told on this page as they move; there are no letters about orders.
        </p>
      </Panel>
    </div>
  );
}

function Explained() {
  const can = useCan();
  return (
    <>
      <p>
        Guessing of passwords, stuffing, replays, probing, sessions that jump and a changed audit become events. The desk tells whoever its
        settings name, once each, and again where that failed.
      </p>
      <p>
        They are set in <code>quantdesk.toml</code> of the data folder, section <code>[notices]</code>, and hold from the next start. No page can
        change them: whoever takes over a session must not be able to silence the desk.
      </p>
      {can("security:read") && (
        <p>
          What happened so far stands in <Link to="/activity">Activity</Link>.
        </p>
      )}
    </>
  );
}
