/** Changes of limits and halts, newest first. */
import type { Schema } from "../../../api/client";
import { usePages } from "../../../api/queries";
import { useMe } from "../../../api/session";
import { dateTime } from "../../../format";
import { BeforeAfter, Button, type Column, Copy, Empty, ErrorBox, Skeleton, Table } from "../../../ui";
import { known, shown } from "./names";

type Change = Schema<"ChangeView">;

export function History() {
  const { me } = useMe();
  const pages = usePages<Schema<"HistoryView">>("/api/limits/history", { limit: 50 }, (page) => page.nextBefore, { cursor: "before" });
  const rows = pages.data?.pages.flatMap((page) => page.changes) ?? [];
  if (pages.isPending) return <Skeleton rows={3} />;
  return (
    <>
      <ErrorBox error={pages.error} onRetry={() => void pages.refetch()} />
      <Table
        caption="Changes of limits, newest first"
        columns={columns(me?.user.userId ?? "")}
        rows={rows}
        rowKey={(row) => String(row.version)}
        empty={<Empty title="Nothing was changed since the desk began: the settings hold." />}
      />
      {pages.hasNextPage && (
        <Button small busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Older
        </Button>
      )}
    </>
  );
}

const columns = (self: string): Column<Change>[] => [
  { id: "at", head: "When", cell: (row) => dateTime(row.at) },
  { id: "name", head: "What", cell: (row) => <span className="account-wrap">{named(row)}</span> },
  {
    id: "change",
    head: "Before → after",
    cell: (row) => <BeforeAfter before={told(row, row.before)} after={told(row, row.after)} />,
  },
  { id: "whose", head: "Whose", cell: (row) => whose(row, self), hideBelow: 720 },
  { id: "by", head: "By", cell: (row) => (row.by === self ? "you" : <Copy text={row.by} label={row.by.slice(0, 8)} />), hideBelow: 720 },
];

const named = (row: Change): string => (row.name === "halt" ? "Trading stopped" : (known(row.name)?.label ?? row.name));

function whose(row: Change, self: string): string {
  if (row.account === null) return "the desk";
  return row.account === self ? "yours" : "another account";
}

function told(row: Change, value: unknown): string {
  if (row.name !== "halt") return shown(row.name, value);
  return value === null ? "trading" : typeof value === "object" ? JSON.stringify(value) : String(value);
}
