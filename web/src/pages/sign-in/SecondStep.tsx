/** The second factor of a sign-in: a code of the app, a passkey, or a recovery code, before the ticket lapses. */
import { useState, type FormEvent } from "react";
import { api } from "../../api/client";
import { Button, Countdown, Field, Panel, Segmented } from "../../ui";
import { answerPasskey } from "../account/passkeys";
import { Cause } from "./Cause";
import type { Answer, Waiting } from "./SignIn";
import { useTry } from "./useTry";

type Method = "totp" | "passkey" | "recovery";

const LABELS: Record<Method, string> = { totp: "App", passkey: "Passkey", recovery: "Recovery code" };
const ALL: readonly Method[] = ["totp", "passkey", "recovery"];

type Props = { waiting: Waiting; onEntered: (answer: Answer) => Promise<void>; onBack: () => void };

export function SecondStep({ waiting, onEntered, onBack }: Props) {
  const methods = ALL.filter((one) => waiting.methods === null || waiting.methods.includes(one));
  const [method, setMethod] = useState<Method>(methods[0] ?? "totp");
  const { busy, error, run, clear } = useTry();
  const over = (error as { code?: string } | null)?.code === "ticket.invalid";
  const finish = (shown: Record<string, unknown>) =>
    run(async () => onEntered(await api.post<Answer>("/api/auth/mfa", { ticket: waiting.ticket, cookie: true, ...shown })));
  const byPasskey = () =>
    run(async () => {
      const passkey = await answerPasskey(await api.post("/api/auth/mfa/options", { ticket: waiting.ticket }));
      await onEntered(await api.post<Answer>("/api/auth/mfa", { ticket: waiting.ticket, cookie: true, passkey }));
    });
  return (
    <Panel title="Prove that it is you">
      {methods.length > 1 && (
        <Segmented
          label="Second factor"
          value={method}
          onChange={(next) => {
            clear();
            setMethod(next);
          }}
          options={methods.map((value) => ({ value, label: LABELS[value] }))}
        />
      )}
      {method === "passkey" ? (
        <Button kind="primary" className="sign-wide" busy={busy} disabled={over} onClick={() => void byPasskey()}>
          Use a passkey
        </Button>
      ) : (
        <CodeForm key={method} method={method} busy={busy} disabled={over} onCode={(shown) => void finish(shown)} />
      )}
      <Cause error={error} />
      {waiting.expiresAt && !over && (
        <p className="sign-hint">
          This sign-in waits for <Countdown until={waiting.expiresAt} />.
        </p>
      )}
      <Button kind={over ? "primary" : "quiet"} onClick={onBack}>
        Begin again
      </Button>
    </Panel>
  );
}

type CodeProps = {
  method: "totp" | "recovery";
  busy: boolean;
  disabled?: boolean;
  onCode: (shown: Record<string, string>) => void;
  verb?: string;
};

/** A field for six digits or a recovery code. */
export function CodeForm({ method, busy, disabled = false, onCode, verb = "Go on" }: CodeProps) {
  const [code, setCode] = useState("");
  const digits = code.replace(/\s/g, "");
  const ready = method === "totp" ? /^\d{6}$/.test(digits) : digits.length > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) onCode(method === "totp" ? { code: digits } : { recoveryCode: code.trim() });
  };
  return (
    <form onSubmit={submit} className="sign-form">
      {method === "totp" ? (
        <Field
          label="Code of your app"
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={7}
          value={code}
          onChange={(event) => setCode(event.target.value)}
          hint="Six digits, good once and for half a minute."
          autoFocus
        />
      ) : (
        <Field
          label="Recovery code"
          autoComplete="off"
          spellCheck={false}
          maxLength={64}
          value={code}
          onChange={(event) => setCode(event.target.value)}
          hint="One of the ten you kept. Each works once; gaps and capitals do not matter."
          autoFocus
        />
      )}
      <Button type="submit" kind="primary" busy={busy} disabled={disabled || !ready}>
        {verb}
      </Button>
    </form>
  );
}
