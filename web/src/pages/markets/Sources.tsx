/** How each source is doing, told by the second; a row opens what it lost and why. */
import { useSources } from "../../api/queries";
import { age } from "../../format";
import { live } from "../../live/store";
import { useCell } from "../../live/useCell";
import { setQuery, useRoute } from "../../shell/router";
import { Button, Empty, Panel, Table, type Column } from "../../ui";
import { Loaded } from "../portfolio/Loaded";
import { Rejections } from "./Rejections";
import type { SourceHealth } from "./shapes";
import { Source } from "./Source";
import { State } from "./State";
import { useHeard, useReadAgo } from "./useHeard";
import { UNHEARD, reason, sourceState } from "./words";

const EVERY_MS = 5_000;

export function Sources() {
  const query = useSources({ everyMs: EVERY_MS });
  const told = useCell(live.source);
  const heard = useHeard();
  const readAgoMs = useReadAgo(query.dataUpdatedAt);
  const opened = useRoute().query.source;
  return (
    <Panel title="Sources" flush>
      <Loaded query={query} permission="market:read" rows={3}>
        {({ sources }) => (
          <div className={heard ? undefined : "stale"}>
            <Table
              caption="Health of the sources"
              rows={sources.map((source) => (heard && told.get(source.name)) || source)}
              rowKey={(row) => row.name}
              rowClass={(row) => (row.name === opened ? "markets-chosen" : undefined)}
              onRow={(row) => setQuery({ source: row.name === opened ? null : row.name })}
              columns={columns(heard, heard ? 0 : readAgoMs)}
              empty={
                <Empty title="This desk has no sources of its own.">
                  <p>
                    Name some with the setting <code>source</code>, or <code>auto</code> for all that answer.
                  </p>
                </Empty>
              }
            />
          </div>
        )}
      </Loaded>
      {opened && <Rejections source={opened} />}
    </Panel>
  );
}

function columns(heard: boolean, moreMs: number): Column<SourceHealth>[] {
  return [
    { id: "name", head: "Source", cell: (row) => <Source name={row.name} />, sort: (row) => row.name },
    { id: "state", head: "State", cell: (row) => <State word={heard ? sourceState(row.state) : UNHEARD} />, sort: (row) => row.state },
    { id: "age", head: "Last message", align: "right", cell: (row) => <span className="num">{age(row.ageMs === null ? null : row.ageMs + moreMs)}</span>, sort: (row) => row.ageMs ?? -1 },
    { id: "messages", head: "Messages", align: "right", cell: (row) => count(row.messages), sort: (row) => row.messages, hideBelow: 480 },
    { id: "rejected", head: "Rejected", align: "right", cell: (row) => <Lost source={row} />, sort: (row) => lost(row) },
    { id: "unreadable", head: "Unreadable", align: "right", cell: (row) => count(row.unreadable), hideBelow: 900 },
    { id: "reconnects", head: "Reconnects", align: "right", cell: (row) => count(row.reconnects), hideBelow: 720 },
    { id: "offset", head: "Clock", align: "right", cell: (row) => <Offset ms={row.offsetMs} />, hideBelow: 720 },
    { id: "problem", head: "Problem", cell: (row) => <span className="markets-problem">{row.problem ?? "none"}</span>, hideBelow: 800 },
  ];
}

function lost(source: SourceHealth): number {
  return Object.values(source.rejected).reduce((sum, each) => sum + each, 0);
}

function count(number: number) {
  return <span className="num">{number.toLocaleString("en-US")}</span>;
}

function Lost({ source }: { source: SourceHealth }) {
  const reasons = Object.entries(source.rejected).map(([name, times]) => `${reason(name)}: ${times}`);
  return (
    <Button small title={reasons.join("\n") || "Nothing was rejected"} onClick={() => setQuery({ source: source.name })}>
      {lost(source).toLocaleString("en-US")}
    </Button>
  );
}

function Offset({ ms }: { ms: number | null }) {
  if (ms === null) return <span className="quiet" title="Its messages carry no time of its own to compare with">—</span>;
  const way = ms === 0 ? "The clocks agree" : ms > 0 ? "Our clock is ahead of its own" : "Our clock is behind its own";
  return (
    <span className="num" title={way}>
      {ms > 0 ? "+" : ms < 0 ? "−" : ""}
      {Math.abs(ms)} ms
    </span>
  );
}
