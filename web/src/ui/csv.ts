/** Rows as CSV (RFC 4180). A cell that a spreadsheet would run as a formula is quoted by an apostrophe; numbers are not. */

export type Cells = object;

const NUMBER = /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i;

export function csv(rows: readonly Cells[]): string {
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [heads, ...rows.map((row) => heads.map((head) => (row as Record<string, unknown>)[head]))];
  return lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  let text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (/^[=+\-@\t\r]/.test(text) && !NUMBER.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
