/** Changing a user: role, KYC, plan, disabled; each as before → after. The desk decides who may change whom. */
import { useState, type FormEvent } from "react";
import { api, type Schema } from "../../../api/client";
import { BeforeAfter, Button, Dialog, Field, Select } from "../../../ui";
import { Cause } from "../../sign-in/Cause";
import { Actions } from "../parts";
import { handedOutBy, KYC, ROLES } from "../roles";
import { done } from "../tell";
import { useAct } from "../useAct";
import type { User } from "./Users";

const PLANS = ["free", "pro", "desk"];
const LABELS = { name: "Name", role: "Role", kyc: "KYC", plan: "Plan", disabled: "May sign in" } as const;
type Changed = Pick<User, keyof typeof LABELS>;

export function EditUser({ user, me, onClose }: { user: User; me: Schema<"UserView">; onClose: () => void }) {
  const { name, role, kyc, plan, disabled } = user;
  const before: Changed = { name, role, kyc, plan, disabled };
  const [after, setAfter] = useState<Changed>(before);
  const { busy, error, act } = useAct();
  const self = user.userId === me.userId;
  const put = (some: Partial<Changed>) => setAfter({ ...after, ...some });
  const changes = (Object.keys(LABELS) as (keyof Changed)[]).filter((field) => after[field] !== before[field]);
  const roles = [...new Set([role, ...handedOutBy(me.role)])];
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const told = Object.fromEntries(changes.map((field) => [field, after[field]]));
    const call = () => api.patch(`/api/users/${user.userId}`, told);
    if (await act(call, ["/api/users", "me"], done("user", `${after.name} is changed`))) onClose();
  };
  return (
    <Dialog open onClose={onClose} title={`Change ${user.name}`}>
      <form className="sign-form" onSubmit={(event) => void submit(event)}>
        <Field label="Name" maxLength={100} value={after.name} onChange={(event) => put({ name: event.target.value })} />
        <Select
          label="Role"
          value={after.role}
          onChange={(next) => put({ role: next })}
          options={roles.map((value) => ({ value, label: value }))}
          hint={ROLES[after.role]}
        />
        <Select
          label="Identity checked (KYC)"
          value={after.kyc}
          disabled={self}
          onChange={(next) => put({ kyc: next })}
          options={Object.entries(KYC).map(([value, label]) => ({ value, label }))}
        />
        <Select
          label="Plan"
          value={after.plan}
          onChange={(next) => put({ plan: next })}
          options={PLANS.map((value) => ({ value, label: value }))}
        />
        <Select
          label="May sign in"
          value={after.disabled ? "no" : "yes"}
          disabled={self}
          onChange={(next) => put({ disabled: next === "no" })}
          options={[
            { value: "yes", label: "yes" },
            { value: "no", label: "no: disabled, all sessions end at once" },
          ]}
          hint={self ? "Somebody else has to do this to you." : undefined}
        />
        {changes.length > 0 && (
          <ul className="account-list" aria-label="What changes">
            {changes.map((field) => (
              <li key={field}>
                {LABELS[field]}: <BeforeAfter before={said(field, before)} after={said(field, after)} />
              </li>
            ))}
          </ul>
        )}
        <Cause error={error} />
        <Actions>
          <Button onClick={onClose}>Back</Button>
          <Button
            type="submit"
            kind={after.disabled && !before.disabled ? "danger" : "primary"}
            busy={busy}
            disabled={changes.length === 0 || !after.name.trim()}
          >
            {changes.length === 0 ? "Nothing is changed" : "Change it"}
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}

function said(field: keyof Changed, of: Changed): string {
  if (field === "disabled") return of.disabled ? "no" : "yes";
  return field === "kyc" ? (KYC[of.kyc] ?? of.kyc) : of[field];
}
