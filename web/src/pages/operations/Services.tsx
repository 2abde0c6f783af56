/** Parts of the desk and sources of prices: how each is, in its own words. */
import { age } from "../../format";
import { Chip, type ChipKind, Empty, Panel, Table } from "../../ui";
import { figure } from "../activity/figure";
import type { Operations } from "./reads";
import { count } from "./words";

const STATES: Record<string, ChipKind> = {
  Ready: "good",
  Processing: "good",
  Error: "bad",
  Initializing: "info",
  Saving: "info",
  Shutdown: "warn",
};

export function Services({ ops }: { ops: Operations }) {
  return (
    <Panel title="Services" flush actions={<span className="quiet">roles {ops.roles.join(", ")}</span>}>
      <Table
        caption="Parts of the desk"
        rows={ops.services}
        rowKey={(one) => one.name}
        empty={<Empty title="This process runs no service." />}
        columns={[
          { id: "name", head: "Service", cell: (one) => one.name },
          { id: "state", head: "State", cell: (one) => <Chip kind={STATES[one.state] ?? "quiet"}>{one.state}</Chip> },
          { id: "detail", head: "In its words", cell: (one) => <span className="activity-wrap">{one.detail}</span> },
        ]}
      />
    </Panel>
  );
}

const SOURCES: Record<string, ChipKind> = { live: "good", ended: "quiet", silent: "warn", away: "bad" };

export function Breakers({ ops }: { ops: Operations }) {
  return (
    <Panel title="Sources and their breakers" flush>
      <Table<Operations["breakers"][number]>
        caption="Sources of market data"
        rows={ops.breakers}
        rowKey={(one) => one.name}
        empty={<Empty title="This desk has no source: start it with `--source`." />}
        columns={[
          { id: "name", head: "Source", cell: (one) => one.name },
          { id: "state", head: "State", cell: (one) => <Chip kind={SOURCES[one.state] ?? "quiet"}>{one.state}</Chip> },
          figure("age", "Last message", (one) => age(one.ageMs)),
          figure("messages", "Messages", (one) => count(one.messages), { hideBelow: 720 }),
          figure("bad", "Unreadable", (one) => count(one.unreadable), { hideBelow: 900 }),
          figure("again", "Reconnects", (one) => count(one.reconnects), { hideBelow: 560 }),
          {
            id: "problem",
            head: "What is the matter",
            hideBelow: 900,
            cell: (one) => <span className="activity-wrap">{one.problem ?? "nothing"}</span>,
          },
        ]}
      />
      <p className="operations-foot quiet">
        A source that fails five times in a row is left alone for a minute (its breaker is open, the state is away), then one
        request tries again.
      </p>
    </Panel>
  );
}
