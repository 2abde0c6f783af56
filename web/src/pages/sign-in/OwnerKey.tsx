/** The owner's way in on the first day: the key that lies in the desk's folder, on the desk's own machine. */
import { useState, type FormEvent } from "react";
import { api } from "../../api/client";
import { Button, Field } from "../../ui";
import { Cause } from "./Cause";
import type { Answer } from "./SignIn";
import { useTry } from "./useTry";

const HERE = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export function OwnerKey({ onEntered }: { onEntered: (answer: Answer, byKey?: boolean) => Promise<void> }) {
  const [key, setKey] = useState("");
  const { busy, error, run } = useTry();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const answer = await api.post<Answer>("/api/auth/key", { key: key.trim(), cookie: true });
      setKey("");
      await onEntered(answer, true);
    });
  };
  return (
    <details className="sign-owner" open={HERE.test(location.hostname)}>
      <summary>First time here? Sign in as the owner of this desk</summary>
      <p>
        The desk made a key for its owner when it first started. It is the one line of <code>owner.key</code> in the desk’s data folder
        (<code>~/.quantdesk</code> unless you chose another); <code>make up</code> prints where that is. The key counts on this machine
        only; link a wallet afterwards and sign in with that.
      </p>
      <form onSubmit={submit} className="sign-form">
        <Field
          label="Owner’s key"
          type="password"
          name="owner-key"
          autoComplete="off"
          spellCheck={false}
          value={key}
          onChange={(event) => setKey(event.target.value)}
          hint="Copy it from a terminal of this machine: cat ~/.quantdesk/owner.key"
        />
        <Cause error={error} />
        <Button type="submit" kind="primary" busy={busy} disabled={!key.trim()}>
          Sign in with the key
        </Button>
      </form>
    </details>
  );
}
