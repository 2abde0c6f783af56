/** Recovery codes: how many are left, new ones, and the ten of them this once. */
import { useState } from "react";
import { api, type Schema } from "../../../api/client";
import { withProof } from "../../../api/session";
import { Button, Chip, Confirm, Copy, Panel, save } from "../../../ui";
import { again } from "../useAct";

const FEW = 3;

export function RecoveryCodes({ left, onCodes }: { left: number; onCodes: (codes: readonly string[]) => void }) {
  const [renewing, setRenewing] = useState(false);
  const renew = async () => {
    const made = await withProof(() => api.post<Schema<"RecoveryCodesView">>("/api/auth/factors/recovery-codes"));
    onCodes(made.recoveryCodes);
    await again(["/api/auth/factors", "/api/sessions"]);
  };
  return (
    <div className="account-line">
      <span>
        <Chip kind={left > FEW ? "good" : "warn"}>{left} left</Chip> Each stands in for your second factor once.
      </span>
      <Button small onClick={() => setRenewing(true)}>
        Make new ones
      </Button>
      <Confirm
        open={renewing}
        title="Make new recovery codes?"
        confirm="Make ten new ones"
        onConfirm={renew}
        onClose={() => setRenewing(false)}
      >
        <p>The old ones stop working at once.</p>
      </Confirm>
    </div>
  );
}

/** The codes, shown this once. */
export function Codes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const text = `Recovery codes of ${location.host}, each good once\n\n${codes.join("\n")}\n`;
  return (
    <Panel title="Your recovery codes, shown this once">
      <p>Keep them where your phone is not: on paper, or in a password manager. Nobody can show them again.</p>
      <ol className="account-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className="sign-actions">
        <Button onClick={() => save("quantdesk-recovery-codes.txt", "text/plain", text)}>Download</Button>
        <Copy text={codes.join("\n")} label="all" />
        <Button kind="primary" onClick={onKept}>
          I have kept them
        </Button>
      </div>
    </Panel>
  );
}
