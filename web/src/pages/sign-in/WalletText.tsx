/** Signing in with a wallet, after it gave its address: the text, then the session. */
import { api } from "../../api/client";
import { Panel } from "../../ui";
import type { Wallet } from "../../wallet";
import type { Answer } from "./SignIn";
import { SignText } from "./SignText";

type Props = { wallet: Wallet; address: string; onEntered: (answer: Answer) => Promise<void>; onBack: () => void };

export function WalletText({ wallet, address, onEntered, onBack }: Props) {
  return (
    <Panel title={`Sign in with ${wallet.name}`}>
      <SignText
        wallet={wallet}
        address={address}
        purpose="sign-in"
        onBack={onBack}
        onSigned={async (signed) => onEntered(await api.post<Answer>("/api/auth/wallet", { ...signed, cookie: true }))}
      />
    </Panel>
  );
}
