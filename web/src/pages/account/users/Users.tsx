/** Who may use the desk, for admins: listed, added by email or wallet, changed, disabled. */
import { useState } from "react";
import type { Schema } from "../../../api/client";
import { useUsers } from "../../../api/queries";
import { useCan, useMe } from "../../../api/session";
import { dateTime } from "../../../format";
import { Button, Chip, type Column, ErrorBox, Panel, Skeleton, Table } from "../../../ui";
import { KYC } from "../roles";
import { AddUser } from "./AddUser";
import { EditUser } from "./EditUser";

export type User = Schema<"UserView">;

export function Users() {
  const { me } = useMe();
  const can = useCan();
  const pages = useUsers();
  const [adding, setAdding] = useState(false);
  const [editing, setEditing] = useState<User | null>(null);
  const rows = pages.data?.pages.flatMap((page) => page.users) ?? [];
  const may = can("users:write");
  if (!me) return null;
  return (
    <Panel
      title="Users"
      actions={
        may && (
          <Button small kind="primary" onClick={() => setAdding(true)}>
            Add a user
          </Button>
        )
      }
    >
      <ErrorBox error={pages.error} onRetry={() => void pages.refetch()} />
      {pages.isPending ? (
        <Skeleton rows={4} />
      ) : (
        <Table
          caption="Users, the newest first"
          columns={columns(me.user.userId, may, setEditing)}
          rows={rows}
          rowKey={(row) => row.userId}
        />
      )}
      {pages.hasNextPage && (
        <Button small busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Older
        </Button>
      )}
      {adding && <AddUser role={me.user.role} onClose={() => setAdding(false)} />}
      {editing && <EditUser user={editing} me={me.user} onClose={() => setEditing(null)} />}
    </Panel>
  );
}

const columns = (self: string, may: boolean, onEdit: (user: User) => void): Column<User>[] => [
  {
    id: "name",
    head: "Name",
    cell: (row) => (
      <span className="account-wrap">
        {row.name} {row.userId === self && <Chip kind="good">you</Chip>} {row.disabled && <Chip kind="bad">disabled</Chip>}
      </span>
    ),
    sort: (row) => row.name,
  },
  { id: "role", head: "Role", cell: (row) => row.role, sort: (row) => row.role },
  {
    id: "email",
    head: "Email",
    cell: (row) => (row.email ? <span className="account-wrap">{row.email}{row.emailVerified ? "" : " (not proven)"}</span> : "—"),
    hideBelow: 720,
  },
  { id: "kyc", head: "KYC", cell: (row) => KYC[row.kyc] ?? row.kyc, hideBelow: 900 },
  { id: "plan", head: "Plan", cell: (row) => row.plan, hideBelow: 900 },
  { id: "since", head: "Since", cell: (row) => dateTime(row.createdAt), sort: (row) => row.createdAt, hideBelow: 900 },
  {
    id: "act",
    head: <span className="sr-only">Actions</span>,
    align: "right",
    cell: (row) =>
      may && (
        <Button small onClick={() => onEdit(row)}>
          Change
        </Button>
      ),
  },
];
