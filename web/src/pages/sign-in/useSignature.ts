/** A text of the desk's for a wallet to sign: asked for, shown, signed. The wallet opens only on `sign`. */
import { useCallback, useEffect, useState } from "react";
import { api, type Schema } from "../../api/client";
import type { Wallet } from "../../wallet";
import { useTry } from "./useTry";

export type Nonce = Schema<"NonceView">;
export type Signed = { address: string; signature: string; message: string };
export type Purpose = "sign-in" | "link" | "prove";

export function useSignature(wallet: Wallet, address: string, purpose: Purpose) {
  const [nonce, setNonce] = useState<Nonce | null>(null);
  const { busy, error, run } = useTry();
  const fresh = useCallback(async () => {
    setNonce(null);
    await run(async () => {
      const chainId = await wallet.chainId?.(); // a wallet warns of a text for another network than its own
      const asked = { address, chain: wallet.chain, ...(chainId ? { chainId } : {}), purpose, cookie: true };
      setNonce(await api.post<Nonce>("/api/auth/nonce", asked));
    });
  }, [address, purpose, run, wallet]);
  useEffect(() => void fresh(), [fresh]);
  const sign = (use: (signed: Signed) => Promise<unknown>) =>
    run(async () => {
      if (!nonce) return;
      const signature = await wallet.signMessage(nonce.message);
      await use({ address, signature, message: nonce.message });
    });
  return { nonce, busy, error, fresh, sign };
}

/** Codes after which the same text is no good any more: what was sent is spent, whatever came of it. */
export const isSpent = (error: Error | null): boolean => {
  const code = (error as { code?: string } | null)?.code ?? "";
  return /^(nonce|message|signature|account|sign_in|site|proof|evm)\./.test(code) || code.startsWith("wallet.taken");
};
