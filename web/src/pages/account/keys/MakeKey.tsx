/** The form of a new key: what it may, from where, until when. */
import { useState, type FormEvent } from "react";
import { api, type Schema } from "../../../api/client";
import { live } from "../../../live/store";
import { Button, Dialog, Field, Select } from "../../../ui";
import { Cause } from "../../sign-in/Cause";
import { Actions } from "../parts";
import { useAct } from "../useAct";
import type { Made } from "./Keys";
import { expiry, LASTS, networks, SCOPES, type Scope, unusable } from "./rules";

type Props = { role: string; onMade: (made: Made) => void; onClose: () => void };

export function MakeKey({ role, onMade, onClose }: Props) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["market:read"]);
  const [days, setDays] = useState<string>("90");
  const [ips, setIps] = useState("");
  const { busy, error, act } = useAct();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = { name: name.trim(), scopes, expiresAt: expiry(days, live.now()), allowIps: networks(ips) };
    const call = () => api.post<Schema<"MadeKeyView">>("/api/keys", wanted);
    if (await act(call, ["/api/keys"], (made) => onMade({ ...made, name: wanted.name }))) onClose();
  };
  const turn = (scope: Scope, on: boolean) => setScopes(on ? [...scopes, scope] : scopes.filter((one) => one !== scope));
  return (
    <Dialog open onClose={onClose} title="Make an API key">
      <form className="sign-form" onSubmit={(event) => void submit(event)}>
        <Field
          label="Name"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
          hint="Which program, on which machine."
          autoFocus
        />
        <fieldset className="account-checks">
          <legend className="ui-label">It may</legend>
          {SCOPES.map(({ scope, what }) => {
            const why = unusable(scope, role);
            return (
              <label key={scope}>
                <input
                  type="checkbox"
                  checked={scopes.includes(scope)}
                  disabled={why !== null}
                  onChange={(event) => turn(scope, event.target.checked)}
                />
                <span>
                  <code>{scope}</code> <span className="quiet">{why ?? what}</span>
                </span>
              </label>
            );
          })}
        </fieldset>
        <Select label="Good for" value={days} onChange={setDays} options={LASTS} />
        <Field label="From addresses or networks" hint="One a line, such as 203.0.113.0/24; empty is anywhere. 20 at most.">
          <textarea
            className="ui-input account-lines"
            rows={2}
            spellCheck={false}
            value={ips}
            onChange={(event) => setIps(event.target.value)}
          />
        </Field>
        {scopes.some((scope) => scope === "orders:write" || scope === "admin") && (
          <p className="warn">This key moves money or power: making it asks for a proof that it is you.</p>
        )}
        <Cause error={error} />
        <Actions>
          <Button onClick={onClose}>Back</Button>
          <Button type="submit" kind="primary" busy={busy} disabled={!name.trim() || scopes.length === 0}>
            Make it
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
