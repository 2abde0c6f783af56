/** The authenticator app: its seed as a QR code and in groups, then one of its codes. The seed is shown this once. */
import { useState } from "react";
import { api, type Schema } from "../../../api/client";
import { withProof } from "../../../api/session";
import { dateTime } from "../../../format";
import { Button, Chip, Confirm, Copy, Countdown } from "../../../ui";
import { Cause } from "../../sign-in/Cause";
import { CodeForm } from "../../sign-in/SecondStep";
import "../../sign-in/sign-in.css";
import { QrCode } from "../qr/QrCode";
import { done } from "../tell";
import { again, useAct } from "../useAct";

type Seed = Schema<"SeedView">;
const CHANGED = ["/api/auth/factors", "/api/sessions"] as const;

export function Totp({ addedAt, onCodes }: { addedAt: string | null; onCodes: (codes: readonly string[]) => void }) {
  return addedAt ? <Known addedAt={addedAt} /> : <Adding onCodes={onCodes} />;
}

function Known({ addedAt }: { addedAt: string }) {
  const [leaving, setLeaving] = useState(false);
  const remove = async () => {
    await withProof(() => api.del("/api/auth/factors/totp"));
    await again(CHANGED);
    done("factor", "The app is removed")();
  };
  return (
    <div className="account-line">
      <span>
        <Chip kind="good">on</Chip> since {dateTime(addedAt)}
      </span>
      <Button small onClick={() => setLeaving(true)}>
        Remove
      </Button>
      <Confirm open={leaving} title="Remove the app?" confirm="Remove" danger onConfirm={remove} onClose={() => setLeaving(false)}>
        <p>Its codes will count no more. Without any second factor the recovery codes go too.</p>
      </Confirm>
    </div>
  );
}

function Adding({ onCodes }: { onCodes: (codes: readonly string[]) => void }) {
  const [seed, setSeed] = useState<Seed | null>(null);
  const beginning = useAct();
  const confirming = useAct();
  const begin = () => beginning.act(() => api.post<Seed>("/api/auth/factors/totp"), [], setSeed);
  const confirm = (shown: Record<string, string>) =>
    confirming.act(
      () => api.post<Schema<"RecoveryCodesView">>("/api/auth/factors/totp/confirm", shown),
      CHANGED,
      (answer) => {
        onCodes(answer.recoveryCodes);
        done("factor", "The app is your second factor now")();
      },
    );
  if (!seed)
    return (
      <>
        <p>An app on your phone shows six digits that change each half minute. Any app for TOTP does.</p>
        <div>
          <Button busy={beginning.busy} onClick={() => void begin()}>
            Add an app
          </Button>
        </div>
        <Cause error={beginning.error} />
      </>
    );
  return (
    <div className="account-totp">
      <QrCode text={seed.uri} label="QR code of the seed, for your app" />
      <div className="sign-form">
        <p>Scan it with your app, or type the seed:</p>
        <p className="account-seed">
          <code>{inGroups(seed.secret)}</code> <Copy text={seed.secret} label="seed" />
        </p>
        <p>
          <a href={seed.uri}>Open it in an app of this machine</a>
        </p>
        <p className="quiet">
          Shown this once; it waits for <Countdown until={seed.expiresAt} />.
        </p>
        <CodeForm method="totp" busy={confirming.busy} verb="Add the app" onCode={(shown) => void confirm(shown)} />
        <Cause error={confirming.error} onRetry={undefined} />
        <div>
          <Button kind="quiet" onClick={() => setSeed(null)}>
            Leave it
          </Button>
        </div>
      </div>
    </div>
  );
}

const inGroups = (secret: string) => secret.match(/.{1,4}/g)?.join(" ") ?? secret;
