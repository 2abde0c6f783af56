/** The timeline: rows of the audit, newest first, as far back as one asks for. */
import { useState } from "react";
import { useCan } from "../../api/session";
import { Button, Download, Empty, Panel, Table } from "../../ui";
import { change, useQueryText } from "./address";
import { exported } from "./entry";
import { ExportAll } from "./ExportAll";
import { FilterBar } from "./FilterBar";
import { filtersOf, isAny } from "./filters";
import { Forbidden, Loaded } from "./Loaded";
import { useAudit, useNames, useRow } from "./reads";
import { RowDetail } from "./RowDetail";
import { RowsCheck } from "./RowsCheck";
import { columns } from "./timelineColumns";

export function Timeline() {
  const can = useCan();
  if (can("audit:read")) return <Rows />;
  return (
    <Panel title="Timeline">
      <Forbidden permission="audit:read">
        <p>What became of your own orders stands under “Your orders”.</p>
      </Forbidden>
    </Panel>
  );
}

function Rows() {
  const query = useQueryText();
  const filters = filtersOf(query);
  const found = useAudit(filters);
  const names = useNames();
  const seq = query.row && /^\d{1,15}$/.test(query.row) ? Number(query.row) : null;
  const entries = found.data ?? [];
  const opened = useRow(seq, entries);
  const [checking, setChecking] = useState(false);
  const open = (row: number | null) => change({ row: row === null ? "" : String(row) });
  return (
    <>
      <FilterBar key={JSON.stringify(filters)} filters={filters} names={names} />
      <Panel
        title="Timeline"
        flush
        actions={
          <>
            <Button small busy={found.isFetching && !found.isFetchingNextPage} onClick={() => void found.refetch()}>
              Refresh
            </Button>
            <Button small disabled={entries.length === 0} onClick={() => setChecking(true)}>
              Check these rows
            </Button>
            <Download name="audit" label="Export shown" rows={entries.map(exported)} />
            <ExportAll filters={filters} />
          </>
        }
      >
        {checking && <RowsCheck entries={entries} filtered={isAny(filters)} onClose={() => setChecking(false)} />}
        <Loaded query={found} permission="audit:read" rows={12}>
          {(rows) => (
            <Table
              caption="Rows of the audit, newest first"
              columns={columns(names)}
              rows={rows}
              rowKey={(row) => String(row.seq)}
              onRow={(row) => open(row.seq)}
              empty={<Nothing filtered={isAny(filters)} />}
            />
          )}
        </Loaded>
        {found.hasNextPage && (
          <div className="activity-more">
            <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
              Older rows
            </Button>
          </div>
        )}
      </Panel>
      {seq !== null && <RowDetail seq={seq} found={opened} names={names} onClose={() => open(null)} />}
    </>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  if (!filtered) return <Empty title="Nothing has been done on this desk yet." />;
  return (
    <Empty title="No row matches these filters.">
      <Button onClick={() => change({ action: "", account: "", about: "", from: "", to: "" })}>Show all rows</Button>
    </Empty>
  );
}
