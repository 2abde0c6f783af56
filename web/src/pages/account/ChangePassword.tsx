/** Another password: the present one, the one to be, and a proof. All other sessions end. */
import { useState, type FormEvent } from "react";
import { api, type Schema } from "../../api/client";
import { Button, Field } from "../../ui";
import { Cause } from "../sign-in/Cause";
import { NewPassword } from "../sign-in/NewPassword";
import { lengthFault } from "../sign-in/password";
import "../sign-in/sign-in.css";
import { told } from "./tell";
import { useAct } from "./useAct";

export function ChangePassword() {
  const [open, setOpen] = useState(false);
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const { busy, error, act } = useAct();
  if (!open)
    return (
      <div>
        <Button small onClick={() => setOpen(true)}>
          Change the password
        </Button>
      </div>
    );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const call = () => api.post<Schema<"ToldView">>("/api/auth/password", { current, new: next });
    const changed = await act(call, ["/api/sessions", "me"], told("password"));
    if (!changed) return;
    setCurrent("");
    setNext("");
    setOpen(false);
  };
  return (
    <form className="sign-form" onSubmit={(event) => void submit(event)}>
      <Field
        label="Present password"
        type="password"
        autoComplete="current-password"
        value={current}
        onChange={(event) => setCurrent(event.target.value)}
      />
      <NewPassword label="New password" value={next} onChange={setNext} />
      <p className="quiet">Your other sessions end; this one stays.</p>
      <Cause error={error} />
      <div className="sign-actions">
        <Button type="submit" kind="primary" busy={busy} disabled={!current || lengthFault(next) !== null}>
          Change it
        </Button>
        <Button kind="quiet" onClick={() => setOpen(false)}>
          Leave it
        </Button>
      </div>
    </form>
  );
}
