/** Rows of a kind: heads that sort and stay, j/k or arrows between rows, Enter opens, no number ever cut. */
import { useMemo, useRef, useState } from "react";
import type { KeyboardEvent, ReactNode } from "react";
import { type Sorting, type SortValue, nextSorting, sorted } from "./tableSort";
import { useWidth } from "./useWidth";
import "./ui.css";

const FIRST_ROWS = 200;

export interface Column<T> {
  id: string;
  head: ReactNode;
  cell: (row: T) => ReactNode;
  align?: "left" | "right" | "center" | undefined;
  sort?: ((row: T) => SortValue) | undefined;
  width?: string | number | undefined;
  /** The window's width in px below which this column is left out. */
  hideBelow?: number | undefined;
}

export interface TableProps<T> {
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  /** What the table is, for ears; `showCaption` for eyes too. */
  caption: string;
  showCaption?: boolean | undefined;
  empty?: ReactNode;
  onRow?: ((row: T) => void) | undefined;
  rowClass?: ((row: T) => string | undefined) | undefined;
  sort?: Sorting | undefined;
  /** With it the rows scroll inside that height and the heads stay. */
  maxHeight?: string | number | undefined;
}

export function Table<T>(props: TableProps<T>) {
  const { columns, rows, rowKey, caption, showCaption = false, empty, onRow, rowClass, maxHeight } = props;
  const [sorting, setSorting] = useState<Sorting | null>(props.sort ?? null);
  const [most, setMost] = useState(FIRST_ROWS);
  const [active, setActive] = useState<string | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const width = useWidth();
  const shown = columns.filter((column) => (column.hideBelow ?? 0) <= width);
  const by = columns.find((column) => column.id === sorting?.id)?.sort;
  const ordered = useMemo(
    () => (by && sorting ? sorted(rows, by, sorting.down) : rows),
    // `by` is made anew by each render of the page; the column's name stands for it
    [rows, sorting],
  );
  if (rows.length === 0 && empty) return <>{empty}</>;
  const visible = ordered.slice(0, most);
  const entry = visible.some((row) => rowKey(row) === active) ? active : visible[0] && rowKey(visible[0]);
  return (
    <div className="ui-table-scroll" style={maxHeight ? { maxHeight, overflowY: "auto" } : undefined}>
      <table className={onRow ? "ui-table ui-table-open" : "ui-table"}>
        <caption className={showCaption ? "ui-caption" : "sr-only"}>{caption}</caption>
        <thead>
          <tr>
            {shown.map((column) => (
              <Head key={column.id} column={column} sorting={sorting} onSort={setSorting} />
            ))}
          </tr>
        </thead>
        <tbody ref={body} data-rows onKeyDown={(event) => step(event, body.current)}>
          {visible.map((row) => {
            const key = rowKey(row);
            return (
              <tr
                key={key}
                tabIndex={key === entry ? 0 : -1}
                className={rowClass?.(row)}
                onFocus={() => setActive(key)}
                onClick={(event) => !onControl(event.target) && onRow?.(row)}
                onKeyDown={(event) => event.key === "Enter" && !onControl(event.target) && onRow?.(row)}
              >
                {shown.map((column) => (
                  <td key={column.id} className={`ui-align-${column.align ?? "left"}`}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {ordered.length > most && (
        <button type="button" className="ui-button ui-more" onClick={() => setMost(most + FIRST_ROWS)}>
          Show {Math.min(FIRST_ROWS, ordered.length - most)} more of {ordered.length}
        </button>
      )}
    </div>
  );
}

interface HeadProps<T> {
  column: Column<T>;
  sorting: Sorting | null;
  onSort: (sorting: Sorting | null) => void;
}

function Head<T>({ column, sorting, onSort }: HeadProps<T>) {
  const mine = sorting?.id === column.id ? (sorting.down ? "descending" : "ascending") : undefined;
  return (
    <th scope="col" className={`ui-align-${column.align ?? "left"}`} style={{ width: column.width }} aria-sort={mine}>
      {column.sort ? (
        <button type="button" className="ui-sort" onClick={() => onSort(nextSorting(sorting, column.id))}>
          {column.head}
          <span className="ui-sort-mark" aria-hidden="true">
            {mine === "ascending" ? "▲" : mine === "descending" ? "▼" : ""}
          </span>
        </button>
      ) : (
        column.head
      )}
    </th>
  );
}

function onControl(target: EventTarget): boolean {
  return (target as HTMLElement).closest("a, button, input, select, textarea, label, summary") !== null;
}

function step(event: KeyboardEvent, body: HTMLElement | null): void {
  if (event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement).tagName !== "TR") return;
  const rows = [...(body?.querySelectorAll<HTMLElement>(":scope > tr") ?? [])];
  const at = rows.indexOf(event.target as HTMLElement);
  const moves: Record<string, number> = { j: at + 1, ArrowDown: at + 1, k: at - 1, ArrowUp: at - 1, Home: 0 };
  const to = event.key === "End" ? rows.length - 1 : moves[event.key];
  const row = to === undefined ? undefined : rows[Math.min(Math.max(to, 0), rows.length - 1)];
  if (!row) return;
  event.preventDefault();
  event.stopPropagation();
  row.focus();
}
