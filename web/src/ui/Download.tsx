/** What is on the screen as a file: `rows` as CSV and JSON, `json` as JSON. Made in the browser, asked of nobody. */
import { Button } from "./Button";
import { type Cells, csv } from "./csv";
import { Menu } from "./Menu";
import "./ui.css";

export interface DownloadProps {
  /** The file's name without its ending. */
  name: string;
  rows?: readonly Cells[] | undefined;
  json?: unknown;
  label?: string | undefined;
}

export function Download({ name, rows, json, label = "Export" }: DownloadProps) {
  const asJson = () => save(`${name}.json`, "application/json", JSON.stringify(json ?? rows, null, 2));
  if (!rows)
    return (
      <Button small onClick={asJson} disabled={json === undefined || json === null}>
        {label}
      </Button>
    );
  const asCsv = () => save(`${name}.csv`, "text/csv", csv(rows));
  return (
    <Menu
      label={`${label}: ${name}`}
      className="ui-menu-small"
      items={[
        { id: "csv", label: "CSV", hint: `${rows.length} rows`, onSelect: asCsv, disabled: rows.length === 0 },
        { id: "json", label: "JSON", onSelect: asJson },
      ]}
    >
      {label}
    </Menu>
  );
}

/** Hand a text to the browser as a file. */
export function save(file: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
