/** The ways into the desk, the ones of this browser first. */
import { useState } from "react";
import { api } from "../../api/client";
import { Button, Panel } from "../../ui";
import type { Wallet } from "../../wallet";
import { answerPasskey } from "../account/passkeys";
import { Cause } from "./Cause";
import { Email } from "./Email";
import { OwnerKey } from "./OwnerKey";
import { Providers } from "./Providers";
import type { Answer } from "./SignIn";
import { Wallets } from "./Wallets";
import { useTry } from "./useTry";

type Props = {
  onWallet: (wallet: Wallet, address: string) => void;
  onEntered: (answer: Answer, byKey?: boolean) => Promise<void>;
};

export function Choose({ onWallet, onEntered }: Props) {
  return (
    <>
      <Panel title="With a wallet">
        <Wallets onConnected={onWallet} />
      </Panel>
      <Panel title="With email and password">
        <Email onEntered={onEntered} />
      </Panel>
      <Panel title="Other ways">
        <div className="sign-others">
          <Passkey onEntered={onEntered} />
          <Providers />
        </div>
      </Panel>
      <OwnerKey onEntered={onEntered} />
    </>
  );
}

function Passkey({ onEntered }: Pick<Props, "onEntered">) {
  const { busy, error, run } = useTry();
  const [tried, setTried] = useState(false);
  const enter = () => {
    setTried(true);
    return run(async () => {
      const passkey = await answerPasskey(await api.post("/api/auth/passkey/options"));
      await onEntered(await api.post<Answer>("/api/auth/passkey", { passkey, cookie: true }));
    });
  };
  return (
    <div className="sign-cause">
      <Button className="sign-wide" busy={busy} onClick={() => void enter()}>
        Use a passkey
      </Button>
      {tried && <Cause error={error} />}
    </div>
  );
}
