/** API keys of one's own: made and shown once, rotated with an overlap, revoked at once. */
import { useState } from "react";
import { api, type Schema } from "../../../api/client";
import { useKeys } from "../../../api/queries";
import { useMe, withProof } from "../../../api/session";
import { dateTime } from "../../../format";
import { Age, Button, Chip, type Column, Confirm, Empty, Panel, Table } from "../../../ui";
import { Shown } from "../parts";
import { done } from "../tell";
import { again } from "../useAct";
import { MakeKey } from "./MakeKey";
import { RotateKey } from "./RotateKey";
import { Secret } from "./Secret";

export type Key = Schema<"KeyView">;
export type Made = Schema<"MadeKeyView"> & { name: string };

export function Keys() {
  const keys = useKeys();
  const { me } = useMe();
  const [made, setMade] = useState<Made | null>(null);
  const [making, setMaking] = useState(false);
  const [rotating, setRotating] = useState<Key | null>(null);
  const [leaving, setLeaving] = useState<Key | null>(null);
  if (!me) return null;
  const working = keys.data?.keys.filter((key) => !key.local).length;
  const revoke = async (key: Key) => {
    await withProof(() => api.del(`/api/keys/${key.keyId}`));
    await again(["/api/keys"]);
    done("key", `${key.name} is revoked, everywhere`)();
  };
  return (
    <div className="account-stack">
      {made && <Secret made={made} onKept={() => setMade(null)} />}
      <Panel
        title="API keys"
        actions={
          <Button small kind="primary" onClick={() => setMaking(true)}>
            Make a key
          </Button>
        }
      >
        <p className="quiet">
          For programs: <code>Authorization: Bearer KEY</code>. A key does what its scopes and your role both allow.
          {working !== undefined && ` ${working} of ${me.entitlements.keysMax} in use.`}
        </p>
        <Shown of={keys}>
          {(data) => (
            <Table
              caption="API keys, the newest first"
              columns={columns(setRotating, setLeaving)}
              rows={data.keys}
              rowKey={(row) => row.keyId}
              empty={<Empty title="No key yet." />}
            />
          )}
        </Shown>
      </Panel>
      {making && <MakeKey role={me.user.role} onMade={setMade} onClose={() => setMaking(false)} />}
      {rotating && (
        <RotateKey
          of={rotating}
          overlapMaxS={me.entitlements.keyRotationOverlapSMax}
          onMade={setMade}
          onClose={() => setRotating(null)}
        />
      )}
      <Confirm
        open={leaving !== null}
        title={`Revoke ${leaving?.name ?? ""}?`}
        confirm="Revoke"
        danger
        onConfirm={() => (leaving ? revoke(leaving) : undefined)}
        onClose={() => setLeaving(null)}
      >
        <p>
          <code>{leaving?.prefix}…</code> stops working within a second, wherever it is used. It cannot be brought back.
        </p>
      </Confirm>
    </div>
  );
}

const columns = (onRotate: (key: Key) => void, onRevoke: (key: Key) => void): Column<Key>[] => [
  {
    id: "name",
    head: "Name",
    cell: (row) => (
      <>
        {row.name} <code className="quiet">{row.prefix}…</code>
      </>
    ),
    sort: (row) => row.name,
  },
  { id: "scopes", head: "May", cell: (row) => <Scopes of={row} />, hideBelow: 560 },
  {
    id: "from",
    head: "From",
    cell: (row) => <From of={row} />,
    hideBelow: 900,
  },
  { id: "expires", head: "Until", cell: (row) => (row.expiresAt ? dateTime(row.expiresAt) : "no end"), hideBelow: 720 },
  { id: "used", head: "Last used", cell: (row) => (row.lastUsedAt ? <Age at={row.lastUsedAt} /> : "never"), hideBelow: 720 },
  {
    id: "act",
    head: <span className="sr-only">Actions</span>,
    align: "right",
    cell: (row) =>
      row.local ? (
        <Chip title="Replaced by deleting owner.key and starting the desk again">the desk’s own</Chip>
      ) : (
        <span className="account-buttons">
          <Button small onClick={() => onRotate(row)}>
            Rotate
          </Button>
          <Button small onClick={() => onRevoke(row)}>
            Revoke
          </Button>
        </span>
      ),
  },
];

function From({ of }: { of: Key }) {
  if (of.local) return <>this machine</>;
  return of.allowIps.length === 0 ? <>anywhere</> : <code className="account-wrap">{of.allowIps.join(", ")}</code>;
}

function Scopes({ of }: { of: Key }) {
  if (of.scopes === null) return <>all that your role may</>;
  return (
    <span className="account-chips">
      {of.scopes.map((scope) => (
        <Chip key={scope} kind={scope === "admin" || scope === "orders:write" ? "warn" : "quiet"}>
          {scope}
        </Chip>
      ))}
    </span>
  );
}
