/** /reset#TOKEN: choosing a new password with the link of a letter; it ends all sessions, and signs nobody in. */
import { useState, type FormEvent } from "react";
import { api, type Schema } from "../../api/client";
import { useMe } from "../../api/session";
import { Link } from "../../shell/Link";
import { Banner, Button, Panel } from "../../ui";
import { Cause } from "./Cause";
import { Frame } from "./Frame";
import { NewPassword } from "./NewPassword";
import { lengthFault } from "./password";
import { useToken } from "./useToken";
import { useTry } from "./useTry";

export default function Reset() {
  const token = useToken();
  const { refresh } = useMe();
  const [password, setPassword] = useState("");
  const [told, setTold] = useState<string | null>(null);
  const { busy, error, run } = useTry();
  const ready = lengthFault(password) === null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    void run(async () => {
      setTold((await api.post<Schema<"ToldView">>("/api/auth/reset/confirm", { token, password })).message);
      setPassword("");
      await refresh();
    });
  };
  return (
    <Frame title="A new password">
      <Panel title="Choose it">
        {told && <Banner kind="good">{told.charAt(0).toUpperCase() + told.slice(1)}.</Banner>}
        {!told && !token && <p>This page needs the link of a letter, whole. Open it from the letter, or ask for another.</p>}
        {!told && token && (
          <form onSubmit={submit} className="sign-form">
            <NewPassword value={password} onChange={setPassword} label="New password" />
            <p className="sign-hint">All sessions of the account end. Second factors stay as they are.</p>
            <Cause error={error} />
            <Button type="submit" kind="primary" busy={busy} disabled={!ready}>
              Change the password
            </Button>
          </form>
        )}
        <p className="sign-hint">
          <Link to="/sign-in">Go to signing in</Link>
        </p>
      </Panel>
    </Frame>
  );
}
