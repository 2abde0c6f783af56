/** Linking a wallet: prove to be there, choose it, read the text, sign. The proof comes first, since proving by a wallet
 *  asks for a text of its own and a browser holds one at a time. */
import { useState } from "react";
import { api } from "../../api/client";
import { Button, Dialog, ErrorBox } from "../../ui";
import type { Wallet } from "../../wallet";
import { SignText } from "../sign-in/SignText";
import { Wallets } from "../sign-in/Wallets";
import "../sign-in/sign-in.css";
import { useTry } from "../sign-in/useTry";
import { ensureProof } from "./proof/asking";
import { done } from "./tell";
import { again } from "./useAct";

type Chosen = { wallet: Wallet; address: string };

export function LinkWallet({ primary = false }: { primary?: boolean }) {
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const { busy, error, run } = useTry();
  const begin = () =>
    run(async () => {
      if (await ensureProof()) setOpen(true);
    });
  const close = () => {
    setOpen(false);
    setChosen(null);
  };
  return (
    <>
      <div>
        <Button kind={primary ? "primary" : undefined} busy={busy} onClick={() => void begin()}>
          Link a wallet
        </Button>
      </div>
      <ErrorBox error={error} />
      <Dialog open={open} onClose={close} title={chosen ? "Read before you sign" : "Link which wallet?"}>
        {chosen ? (
          <SignText
            {...chosen}
            purpose="link"
            onBack={() => setChosen(null)}
            onSigned={async (signed) => {
              await api.post("/api/wallets", signed);
              close();
              await again(["/api/wallets", "me"]);
              done("wallet", "The wallet is linked: it signs in to this account now")();
            }}
          />
        ) : (
          <Wallets onConnected={(wallet, address) => setChosen({ wallet, address })} also="" />
        )}
      </Dialog>
    </>
  );
}
