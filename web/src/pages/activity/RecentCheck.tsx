/** Checks the newest rows with nothing filtered, back to the last signed day where that is near. */
import { useMutation } from "@tanstack/react-query";
import { Button, ErrorBox, Panel } from "../../ui";
import { type Chained, canHash, checkRows, type RowsReport, type SignedRoot } from "./chain";
import { older } from "./reads";

const PAGE = 500;
const ROWS_MAX = 5_000;
const BEYOND = 2 ** 53 - 1;

interface Recent {
  report: RowsReport;
  first: number;
  last: number;
  /** Row that the last signed day ends with, if these rows reach it, and whether it is the one signed. */
  root: { last: number; same: boolean } | null;
}

export function RecentCheck({ roots }: { roots: readonly SignedRoot[] | undefined }) {
  const signed = roots?.at(-1);
  const check = useMutation({ mutationFn: () => recent(signed) });
  return (
    <Panel
      title="Newest rows"
      actions={
        <Button small busy={check.isPending} disabled={!canHash() || roots === undefined} onClick={() => check.mutate()}>
          Check back to {signed ? `row ${signed.last}` : "the first row"}
        </Button>
      }
    >
      {check.error && <ErrorBox error={check.error} onRetry={() => check.mutate()} />}
      {check.data ? (
        <Said found={check.data} signed={signed} />
      ) : (
        <p>
          Each row holds the hash of the row before it, so none can be changed, removed or put between without every later hash
          being another. This reads the newest rows, at most {ROWS_MAX}, and makes their hashes again in this browser.
        </p>
      )}
    </Panel>
  );
}

async function recent(signed: SignedRoot | undefined): Promise<Recent> {
  const rows: Chained[] = [];
  const until = signed?.last ?? 1;
  let below = BEYOND;
  while (rows.length < ROWS_MAX && below > until) {
    const page = await older(below, PAGE);
    rows.push(...page.filter((row) => row.seq >= until));
    const lowest = page.at(-1);
    if (lowest === undefined || lowest.seq >= below) break;
    below = lowest.seq;
  }
  const end = rows.find((row) => row.seq === signed?.last);
  return {
    report: await checkRows(rows),
    first: rows.at(-1)?.seq ?? 0,
    last: rows[0]?.seq ?? 0,
    root: signed && end ? { last: signed.last, same: signed.statement.includes(`"head":"${end.hash}"`) } : null,
  };
}

function Said({ found, signed }: { found: Recent; signed: SignedRoot | undefined }) {
  const { report, root } = found;
  const due = found.last - found.first + 1;
  const whole = report.rows === due && report.gaps === 0;
  const good = report.wrong.length === 0 && whole && root?.same !== false;
  const reached = found.first === 1 ? "the first row of all" : root ? "the last row of the last signed day" : null;
  return (
    <div role="status">
      <p className={good ? "activity-good" : "activity-bad"}>
        {good ? "✓" : "✕"} Rows {found.first} to {found.last}: {report.hashed} hashed again, {report.links} links
        {good ? ", all as they were chained." : "."}
      </p>
      {report.wrong.map((one) => (
        <p key={one.seq} className="activity-bad">
          Row {one.seq}: {one.why}.
        </p>
      ))}
      {!whole && <p className="activity-bad">{due - report.rows} rows between them are missing.</p>}
      {root && !root.same && <p className="activity-bad">Row {root.last} is not the one that the signed root names.</p>}
      <p className="quiet">
        {reached ? `They reach ${reached}. ` : `Older rows than ${found.first} were not read. `}
        Nothing signed covers rows after {signed ? signed.last : 0} yet: whoever may do everything to the database could cut
        them off until the day is signed. <code>audit.head</code> on the desk's machine finds that out.
      </p>
    </div>
  );
}
