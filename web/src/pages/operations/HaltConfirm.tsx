/** The second look before a stop: what it does, what it leaves, and why it is done. */
import { useState } from "react";
import { ApiError, type Schema } from "../../api/client";
import { BeforeAfter, Confirm, Field } from "../../ui";
import { reasonFlaw, type Scope, WORDS } from "./halting";
import type { Whose } from "./KillSwitch";

export interface Asking {
  scope: Scope;
  whose: Whose;
}

export interface HaltConfirmProps {
  asking: Asking | null;
  before: Schema<"HaltView"> | null;
  onHalt: (scope: Scope, reason: string) => Promise<void>;
  onClose: () => void;
}

export function HaltConfirm({ asking, before, onHalt, onClose }: HaltConfirmProps) {
  const [reason, setReason] = useState("");
  const flaw = reasonFlaw(reason);
  const close = () => {
    setReason("");
    onClose();
  };
  if (asking === null) return null;
  const words = WORDS[asking.scope];
  const whose = asking.whose === "desk" ? "of the whole desk" : "of my account";
  const halt = async () => {
    if (flaw !== null) throw refused(flaw);
    await onHalt(asking.scope, reason);
  };
  return (
    <Confirm open title={`${words.title} ${whose}?`} confirm={words.title} danger onConfirm={halt} onClose={close}>
      <p>{words.does}</p>
      <p>{words.leaves}</p>
      <p>
        Trading: <BeforeAfter before={before ? WORDS[before.scope === "all" ? "all" : "new"].state : "on"} after={words.state} />
      </p>
      <Field
        label="Why"
        value={reason}
        onChange={(event) => setReason(event.target.value)}
        hint="Everybody who finds it stopped reads this; it is kept in the audit."
        maxLength={200}
        required
        autoFocus
        autoComplete="off"
      />
    </Confirm>
  );
}

function refused(detail: string): ApiError {
  return new ApiError({ status: 0, code: "form.incomplete", detail, retryable: false });
}
