/** What checking the rows on the screen came to, and just as plainly what it did not look at. */
import { useQuery } from "@tanstack/react-query";
import { Button, ErrorBox, Skeleton } from "../../ui";
import { canHash, checkRows, type RowsReport } from "./chain";
import type { Entry } from "./entry";
import { useRoots } from "./reads";

export interface RowsCheckProps {
  entries: readonly Entry[];
  filtered: boolean;
  onClose: () => void;
}

export function RowsCheck({ entries, filtered, onClose }: RowsCheckProps) {
  const { data, error, refetch } = useQuery({
    queryKey: ["audit", "checked-rows", entries.map((entry) => `${entry.seq}:${entry.hash}`).join()],
    queryFn: () => checkRows(entries),
    enabled: canHash(),
    gcTime: 0,
  });
  return (
    <div className="activity-check" role="status">
      {canHash() ? (
        error ? (
          <ErrorBox error={error} onRetry={() => void refetch()} />
        ) : data ? (
          <Said report={data} entries={entries} filtered={filtered} />
        ) : (
          <Skeleton rows={2} />
        )
      ) : (
        <p className="warn">
          This browser hashes only on pages over TLS or of the desk's own machine. Run <code>quantdesk audit verify</code>{" "}
          there.
        </p>
      )}
      <Button small onClick={onClose}>
        Close
      </Button>
    </div>
  );
}

function Said({ report, entries, filtered }: { report: RowsReport; entries: readonly Entry[]; filtered: boolean }) {
  const heads = useHeads(entries);
  return (
    <div>
      {report.wrong.length > 0 ? (
        <div className="activity-bad">
          <p>✕ The chain is broken. Stop, and run `quantdesk audit verify` on the desk's machine.</p>
          <ul>
            {report.wrong.map((one) => (
              <li key={one.seq}>
                Row {one.seq}: {one.why}.
              </li>
            ))}
          </ul>
        </div>
      ) : (
        <p className="activity-good">✓ What was checked here holds.</p>
      )}
      <p>
        Checked in this browser: the hash of {report.hashed} of {report.rows} rows, made again out of their text;{" "}
        links between neighbors: {report.links}{heads === null ? "" : `; ${heads}`}.
      </p>
      <p className="quiet">
        Not checked: {report.gaps > 0 && `rows ${filtered ? "filtered out" : "missing"} in ${report.gaps} places; `}
        rows that are not shown; rows of orders that these rows cover; what was kept outside of the database. The tab Proof
        checks whole signed days; <code>quantdesk audit verify</code> checks everything.
      </p>
    </div>
  );
}

/** Compare the shown rows that a signed root ends with what it says; null when none is among them. */
function useHeads(entries: readonly Entry[]): string | null {
  const { data } = useRoots();
  if (!data) return null;
  const hashes = new Map(entries.map((entry) => [entry.seq, entry.hash]));
  const ends = data.roots.filter((root) => hashes.has(root.last));
  if (ends.length === 0) return null;
  const wrong = ends.filter((root) => !root.statement.includes(`"head":"${hashes.get(root.last)}"`));
  if (wrong.length > 0) return `✕ row ${wrong[0]?.last} is not the one its signed root names`;
  return `${ends.length} of them end a signed day, and are what its root names`;
}
