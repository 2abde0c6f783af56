/** Who is told of security events: settings of the desk's file, so this page says which and changes none. */
import { useCan } from "../../api/session";
import { Link } from "../../shell/Link";
import { Panel, Table, type Column } from "../../ui";

type Way = { name: string; setting: string; what: string };

const WAYS: readonly Way[] = [
  { name: "Log", setting: "always", what: "each event, as security.event" },
  { name: "Letter", setting: "notices.email", what: "each event to one mailbox; needs mail.smtp_host to leave the machine" },
  { name: "Webhook", setting: "notices.webhook_url", what: "each event as JSON, signed with notices.webhook_secret (X-QuantDesk-Signature)" },
  { name: "Slack", setting: "notices.slack_url", what: "each event as text, by an incoming webhook" },
];

const COLUMNS: Column<Way>[] = [
  { id: "name", head: "Way", cell: (row) => row.name },
  { id: "setting", head: "Setting", cell: (row) => <code>{row.setting}</code> },
  { id: "what", head: "What is told", cell: (row) => <span className="account-wrap">{row.what}</span> },
];

export function Notices() {
  const can = useCan();
  return (
    <div className="account-stack">
      <Panel title="Security events">
        <p>
          Guessing of passwords, stuffing, replays, probing, sessions that jump and a changed audit become events. The desk tells whoever its
          settings name, once each, and again where that failed.
        </p>
        <Table caption="Ways of being told" columns={COLUMNS} rows={WAYS} rowKey={(row) => row.name} />
        <p>
          They are set in <code>quantdesk.toml</code> of the data folder, section <code>[notices]</code>, and hold from the next start. No page can
          change them: whoever takes over a session must not be able to silence the desk.
        </p>
        {can("security:read") && (
          <p>
            What happened so far stands in <Link to="/activity">Activity</Link>.
          </p>
        )}
      </Panel>
      <Panel title="Your account">
        <p>
          A changed password is told to your own mailbox. Orders are told on this page as they move; there are no letters about orders.
        </p>
      </Panel>
    </div>
  );
}
