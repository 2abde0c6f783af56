/** The ways to prove to be there, and the one that was chosen. */
import { useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import { useFactors } from "../../../api/queries";
import { signOut, useMe } from "../../../api/session";
import { Button, ErrorBox, Field, Segmented, Skeleton } from "../../../ui";
import type { Wallet } from "../../../wallet";
import { Cause } from "../../sign-in/Cause";
import { CodeForm } from "../../sign-in/SecondStep";
import { SignText } from "../../sign-in/SignText";
import { Wallets } from "../../sign-in/Wallets";
import "../../sign-in/sign-in.css";
import { useTry } from "../../sign-in/useTry";
import { answerPasskey } from "../passkeys";
import { again } from "../useAct";
import { LABELS, type Way, waysOf } from "./ways";

const prove = async (shown: Record<string, unknown>) => {
  await api.post("/api/auth/proof", shown);
  await again(["me"]);
};

export default function Ways({ onProven }: { onProven: () => void }) {
  const { me } = useMe();
  const factors = useFactors();
  const [chosen, setChosen] = useState<Way | null>(null);
  if (factors.error) return <ErrorBox error={factors.error} onRetry={() => void factors.refetch()} />;
  if (!factors.data || !me) return <Skeleton rows={3} />;
  const { email, role } = me.user;
  const ways = waysOf({ factors: factors.data.methods, wallets: me.wallets.length, email, role });
  const way = chosen ?? ways[0];
  return (
    <div className="sign-form">
      <p>What you asked for moves money or access. The proof counts for five minutes, in this browser.</p>
      {ways.length > 1 && way && (
        <Segmented label="How" value={way} onChange={setChosen} options={ways.map((value) => ({ value, label: LABELS[value] }))} />
      )}
      {way ? <Shown key={way} way={way} onProven={onProven} /> : <SignInAgain />}
    </div>
  );
}

function Shown({ way, onProven }: { way: Way; onProven: () => void }) {
  const { busy, error, run } = useTry();
  const give = (shown: Record<string, unknown>) =>
    run(async () => {
      await prove(shown);
      onProven();
    });
  const byPasskey = () =>
    run(async () => {
      const passkey = await answerPasskey(await api.post("/api/auth/proof/options"));
      await prove({ passkey });
      onProven();
    });
  if (way === "wallet") return <ByWallet onProven={onProven} />;
  return (
    <>
      {way === "passkey" && (
        <Button kind="primary" busy={busy} onClick={() => void byPasskey()}>
          Use a passkey
        </Button>
      )}
      {(way === "totp" || way === "recovery") && <CodeForm method={way} busy={busy} verb="Prove it" onCode={(shown) => void give(shown)} />}
      {(way === "password" || way === "key") && <SecretForm way={way} busy={busy} onSecret={(shown) => void give(shown)} />}
      <Cause error={error} />
    </>
  );
}

type SecretProps = { way: "password" | "key"; busy: boolean; onSecret: (shown: Record<string, string>) => void };

function SecretForm({ way, busy, onSecret }: SecretProps) {
  const [secret, setSecret] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (secret) onSecret(way === "key" ? { key: secret.trim() } : { password: secret });
  };
  return (
    <form onSubmit={submit} className="sign-form">
      <Field
        label={way === "key" ? "Owner’s key" : "Your password"}
        type="password"
        autoComplete={way === "key" ? "off" : "current-password"}
        value={secret}
        onChange={(event) => setSecret(event.target.value)}
        hint={way === "key" ? "The one line of owner.key, on the desk’s own machine." : undefined}
        autoFocus
      />
      <Button type="submit" kind="primary" busy={busy} disabled={!secret}>
        Prove it
      </Button>
    </form>
  );
}

function ByWallet({ onProven }: { onProven: () => void }) {
  const [chosen, setChosen] = useState<{ wallet: Wallet; address: string } | null>(null);
  if (!chosen) return <Wallets onConnected={(wallet, address) => setChosen({ wallet, address })} also="" />;
  return (
    <SignText
      {...chosen}
      purpose="prove"
      onBack={() => setChosen(null)}
      onSigned={async (wallet) => {
        await prove({ wallet });
        onProven();
      }}
    />
  );
}

function SignInAgain() {
  const { busy, error, run } = useTry();
  return (
    <>
      <p>Your account has no second factor to show. Signing in again is a proof as well: sign out, come back, and ask again.</p>
      <Button busy={busy} onClick={() => void run(signOut)}>
        Sign out
      </Button>
      <ErrorBox error={error} />
    </>
  );
}
