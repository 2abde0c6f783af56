/** A new user: by email or by wallet, with a role not above one's own. */
import { useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import { Button, Dialog, Field, Segmented, Select } from "../../../ui";
import { Cause } from "../../sign-in/Cause";
import { Actions } from "../parts";
import { handedOutBy, type Role, ROLES } from "../roles";
import { done } from "../tell";
import { useAct } from "../useAct";

const HINTS = {
  wallet: "They sign in with it; nothing is sent to them.",
  email: "They choose a password with “Forgotten” on the sign-in page.",
} as const;

export function AddUser({ role: own, onClose }: { role: string; onClose: () => void }) {
  const [by, setBy] = useState<"wallet" | "email">("wallet");
  const [address, setAddress] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const { busy, error, act } = useAct();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = { role, [by]: address.trim(), ...(name.trim() ? { name: name.trim() } : {}) };
    const call = () => api.post("/api/users", wanted);
    if (await act(call, ["/api/users"], done("user", `The user is added as ${role}`))) onClose();
  };
  return (
    <Dialog open onClose={onClose} title="Add a user">
      <form className="sign-form" onSubmit={(event) => void submit(event)}>
        <Segmented
          label="Known by"
          value={by}
          onChange={setBy}
          options={[
            { value: "wallet", label: "Wallet" },
            { value: "email", label: "Email" },
          ]}
        />
        <Field
          label={by === "wallet" ? "Address of the wallet (Solana or EVM)" : "Email"}
          type={by === "wallet" ? "text" : "email"}
          autoComplete="off"
          spellCheck={false}
          maxLength={254}
          value={address}
          onChange={(event) => setAddress(event.target.value)}
          hint={HINTS[by]}
        />
        <Field label="Name (optional)" maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        <Select
          label="Role"
          value={role}
          onChange={setRole}
          options={handedOutBy(own).map((value) => ({ value, label: value }))}
          hint={ROLES[role]}
        />
        <Cause error={error} />
        <Actions>
          <Button onClick={onClose}>Back</Button>
          <Button type="submit" kind="primary" busy={busy} disabled={!address.trim()}>
            Add
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
