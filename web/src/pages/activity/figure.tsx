/** A table's column of numbers: to the right, of equal width, never cut. */
import type { Column } from "../../ui";

type More<T> = Pick<Column<T>, "hideBelow" | "sort">;

export function figure<T>(id: string, head: string, read: (row: T) => string | number, more: More<T> = {}): Column<T> {
  return { id, head, align: "right", cell: (row) => <span className="num">{read(row)}</span>, ...more };
}
