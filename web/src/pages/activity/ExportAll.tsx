/** All rows that match, as one file: read a page at a time, with a bound that is said. */
import { useState } from "react";
import { Menu, save, toast } from "../../ui";
import { csv } from "../../ui/csv";
import { allRows, EXPORT_MAX } from "./files";
import type { Filters } from "./filters";

const NOTE = "audit-export";

export function ExportAll({ filters }: { filters: Filters }) {
  const [busy, setBusy] = useState(false);
  const take = async (form: "csv" | "json") => {
    setBusy(true);
    try {
      const rows = await allRows(filters, (count) =>
        toast(NOTE, { kind: "busy", title: "Reading the audit", text: `${count} rows` }),
      );
      const text = form === "csv" ? csv(rows) : JSON.stringify(rows, null, 2);
      save(`audit.${form}`, form === "csv" ? "text/csv" : "application/json", text);
      const cut = rows.length === EXPORT_MAX;
      const more = "There may be older ones: `quantdesk audit export` has no bound.";
      toast(NOTE, { kind: "good", title: `${rows.length} rows saved`, text: cut ? more : "All that match." });
    } catch (problem) {
      const text = problem instanceof Error ? problem.message : String(problem);
      toast(NOTE, { kind: "bad", title: "The export was not finished", text });
    } finally {
      setBusy(false);
    }
  };
  const item = (form: "csv" | "json") => ({
    id: form,
    label: form.toUpperCase(),
    hint: `up to ${EXPORT_MAX} rows`,
    disabled: busy,
    onSelect: () => void take(form),
  });
  return (
    <Menu label="Export all that match" className="ui-menu-small" items={[item("csv"), item("json")]}>
      Export all
    </Menu>
  );
}
