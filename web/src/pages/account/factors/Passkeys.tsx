/** Passkeys: made by this device or a key, named, removed. */
import { useState, type FormEvent } from "react";
import { api, type Schema } from "../../../api/client";
import { withProof } from "../../../api/session";
import { dateTime } from "../../../format";
import { Age, Button, Chip, type Column, Confirm, Empty, Field, Table } from "../../../ui";
import { browser } from "../agents";
import { Cause } from "../../sign-in/Cause";
import "../../sign-in/sign-in.css";
import { useTry } from "../../sign-in/useTry";
import { makePasskey } from "../passkeys";
import { done } from "../tell";
import { again } from "../useAct";

type Passkey = Schema<"PasskeyView">;
const CHANGED = ["/api/auth/factors", "/api/sessions"] as const;
const NAME_MAX = 64;

export function Passkeys({ passkeys, onCodes }: { passkeys: readonly Passkey[]; onCodes: (codes: readonly string[]) => void }) {
  const [leaving, setLeaving] = useState<Passkey | null>(null);
  const remove = async (one: Passkey) => {
    await withProof(() => api.del(`/api/auth/factors/passkeys/${one.passkeyId}`));
    await again(CHANGED);
    done("factor", "The passkey is removed")();
  };
  return (
    <>
      <Table
        caption="Passkeys"
        columns={columns(setLeaving)}
        rows={passkeys}
        rowKey={(row) => row.passkeyId}
        empty={<Empty title="No passkey yet.">It signs in alone, and is a second factor: your device checks that it is you.</Empty>}
      />
      <AddPasskey onCodes={onCodes} />
      <Confirm
        open={leaving !== null}
        title={`Remove ${leaving?.name ?? ""}?`}
        confirm="Remove"
        danger
        onConfirm={() => (leaving ? remove(leaving) : undefined)}
        onClose={() => setLeaving(null)}
      >
        <p>It will not sign in to this account any more. Take it out of the device’s own list too.</p>
      </Confirm>
    </>
  );
}

function AddPasskey({ onCodes }: { onCodes: (codes: readonly string[]) => void }) {
  const [name, setName] = useState(() => browser(navigator.userAgent));
  const { busy, error, run } = useTry();
  const add = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const options = await withProof(() => api.post<Schema<"OptionsView">>("/api/auth/factors/passkeys/options"));
      const passkey = await makePasskey(options);
      const added = await api.post<Schema<"AddedPasskeyView">>("/api/auth/factors/passkeys", { name: name.trim(), passkey });
      onCodes(added.recoveryCodes);
      await again(CHANGED);
      done("factor", `${added.passkey.name} is added`)();
    });
  };
  return (
    <form className="account-inline" onSubmit={add}>
      <Field label="Name it" maxLength={NAME_MAX} value={name} onChange={(event) => setName(event.target.value)} />
      <Button type="submit" busy={busy} disabled={!name.trim()}>
        Add a passkey
      </Button>
      <Cause error={error} />
    </form>
  );
}

const columns = (onRemove: (passkey: Passkey) => void): Column<Passkey>[] => [
  {
    id: "name",
    head: "Name",
    cell: (row) => (
      <>
        {row.name} {row.backedUp && <Chip title="Your other devices have it too">synced</Chip>}
      </>
    ),
  },
  { id: "added", head: "Added", cell: (row) => dateTime(row.addedAt), hideBelow: 560 },
  { id: "used", head: "Last used", cell: (row) => <Age at={row.usedAt} /> },
  {
    id: "act",
    head: <span className="sr-only">Actions</span>,
    align: "right",
    cell: (row) => (
      <Button small onClick={() => onRemove(row)}>
        Remove
      </Button>
    ),
  },
];
