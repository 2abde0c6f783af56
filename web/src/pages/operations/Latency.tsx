/** How long orders stayed in each stage, and what went wrong by code. */
import { Empty, Panel, Table } from "../../ui";
import { figure } from "../activity/figure";
import type { Operations } from "./reads";
import { count, took } from "./words";

type Stage = Operations["latency"][number];

const NAMES: Record<string, string> = { WHOLE: "created to CONFIRMED" };

export function Latency({ ops }: { ops: Operations }) {
  const longest = Math.max(1, ...ops.latency.map((one) => one.p95Ms ?? 0));
  return (
    <Panel title="Latency of the last minutes" flush>
      <Table<Stage>
        caption="Time orders stayed in each stage"
        rows={ops.latency}
        rowKey={(one) => one.stage}
        empty={<Empty title="No order went through a stage in the last minutes." />}
        columns={[
          {
            id: "stage",
            head: "Stage",
            cell: (one) => <span className="activity-wrap">{NAMES[one.stage] ?? one.stage}</span>,
          },
          figure("count", "Orders", (one) => count(one.count)),
          figure("p50", "p50", (one) => took(one.p50Ms)),
          figure("p95", "p95", (one) => took(one.p95Ms)),
          figure("max", "Longest", (one) => took(one.maxMs), { hideBelow: 560 }),
          { id: "bar", head: "", width: "30%", hideBelow: 720, cell: (one) => <Bar stage={one} longest={longest} /> },
        ]}
      />
      <p className="operations-foot quiet">
        Orders of this process in the last five to ten minutes; quantiles are at most 6 % too high.
      </p>
    </Panel>
  );
}

function Bar({ stage, longest }: { stage: Stage; longest: number }) {
  if (stage.p95Ms === null) return null;
  const wide = (ms: number) => `${Math.min(100, (100 * ms) / longest)}%`;
  return (
    <span className="operations-bar" aria-hidden="true">
      <span className="operations-bar-p95" style={{ width: wide(stage.p95Ms) }} />
      <span className="operations-bar-p50" style={{ width: wide(stage.p50Ms ?? 0) }} />
    </span>
  );
}

interface Code {
  what: string;
  code: string;
  times: number;
}

/** Orders that failed, errors answered and tasks begun again, by code. */
export function Causes({ ops }: { ops: Operations }) {
  const of = (what: string, by: Record<string, number>) =>
    Object.entries(by).map(([code, times]): Code => ({ what, code, times }));
  const rows = [
    ...of("order failed", ops.failures),
    ...of("task begun again", ops.restarts),
    ...of("answered with an error", ops.problems),
  ];
  return (
    <Panel title="What went wrong since the start" flush>
      <Table<Code>
        caption="Failures, errors and restarts by code"
        rows={rows}
        rowKey={(one) => `${one.what}:${one.code}`}
        empty={<Empty title="Nothing failed since the desk started." />}
        columns={[
          { id: "code", head: "Code", cell: (one) => <code className="activity-wrap">{one.code}</code> },
          { id: "what", head: "What", cell: (one) => <span className="activity-wrap">{one.what}</span> },
          figure("times", "Times", (one) => count(one.times), { sort: (one) => one.times }),
        ]}
      />
    </Panel>
  );
}
