/** Checks every row of one signed day: fetched, hashed again, linked, and brought under the signed tree. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Chip } from "../../ui";
import { canHash, type Statement } from "./chain";
import { checkDay, DAY_ROWS_MAX, type DayReport } from "./day";
import { older } from "./reads";

export function DayCheck({ said }: { said: Statement }) {
  const [done, setDone] = useState(0);
  const due = said.last - said.first + 1;
  const check = useMutation({ mutationFn: () => checkDay(said, older, setDone) });
  if (due > DAY_ROWS_MAX) {
    return (
      <span className="quiet">
        {due} rows are too many for a browser: <code>quantdesk audit verify</code>
      </span>
    );
  }
  if (check.data) return <Verdict report={check.data} />;
  return (
    <span className="activity-day">
      <Button small busy={check.isPending} disabled={!canHash()} onClick={() => check.mutate()}>
        {check.isPending ? `${done} of ${due}` : `Check ${due} rows`}
      </Button>
      {check.error && <span className="activity-bad">{check.error.message}</span>}
    </span>
  );
}

function Verdict({ report }: { report: DayReport }) {
  const [first] = report.wrong;
  if (first) {
    return (
      <Chip kind="bad">
        row {first.seq}: {first.why}
      </Chip>
    );
  }
  if (!report.tree || !report.head) return <Chip kind="bad">the rows are not those that were signed</Chip>;
  return (
    <span className="activity-day">
      <Chip kind="good">{report.rows} rows as signed</Chip>
      <span className="quiet">
        {report.hashed} hashed, {report.links} links
      </span>
    </span>
  );
}
