/** The wallets this browser offers; choosing one asks it for an address, and nothing is signed yet. */
import { useState } from "react";
import { useCell } from "../../live/useCell";
import { Button } from "../../ui";
import { discover, type Wallet } from "../../wallet";
import { Cause } from "./Cause";
import { useTry } from "./useTry";

const CHAINS: Record<Wallet["chain"], string> = { solana: "Solana", evm: "EVM" };

export function Wallets({ onConnected, also }: { onConnected: (wallet: Wallet, address: string) => void; also?: string }) {
  const wallets = useCell(discover());
  const { busy, error, run } = useTry();
  const [asked, setAsked] = useState<string | null>(null);
  if (wallets.length === 0)
    return (
      <p className="sign-hint">
        No wallet was found in this browser. Install one that speaks Wallet Standard (Solana) or EIP-6963 (Ethereum) and reload the
        page{also ?? ", or sign in another way"}.
      </p>
    );
  const connect = (wallet: Wallet) => {
    setAsked(wallet.id);
    void run(async () => onConnected(wallet, await wallet.connect()));
  };
  return (
    <>
      <ul className="sign-wallets">
        {wallets.map((wallet) => (
          <li key={wallet.id}>
            <Button className="sign-wide sign-wallet" busy={busy && asked === wallet.id} onClick={() => connect(wallet)}>
              {wallet.icon && <img src={wallet.icon} alt="" width={20} height={20} />}
              <span>{wallet.name}</span>
              <span className="quiet">{CHAINS[wallet.chain]}</span>
            </Button>
          </li>
        ))}
      </ul>
      <Cause error={error} />
    </>
  );
}
