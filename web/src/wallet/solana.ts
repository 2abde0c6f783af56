/** Solana wallets of the wallet-standard (https://github.com/wallet-standard/wallet-standard). */
import { base58 } from "./base58";
import { asked, iconOf, nameFrom, type Wallet, WalletError } from "./wallet";

interface Account {
  address: string;
  chains: readonly string[];
}
type Signed = { signedMessage: Uint8Array; signature: Uint8Array };

/** As much of a registered wallet as is used here. */
export interface Registered {
  name: string;
  icon: string;
  chains: readonly string[];
  accounts: readonly Account[];
  features: {
    "standard:connect"?: { connect(): Promise<{ accounts: readonly Account[] }> };
    "solana:signMessage"?: {
      signMessage(asked: { account: Account; message: Uint8Array }): Promise<readonly Signed[]>;
    };
  };
}

/** Return whether something that registered is a Solana wallet that can sign a text. */
export function isSolana(wallet: unknown): wallet is Registered {
  const told = wallet as Partial<Registered> | null;
  return (
    Array.isArray(told?.chains) &&
    told.chains.some(isSolanaChain) &&
    typeof told.features?.["standard:connect"]?.connect === "function" &&
    typeof told.features["solana:signMessage"]?.signMessage === "function"
  );
}

/** Return a registered wallet as one of ours; `id` tells it from others of its name. */
export function solanaWallet(wallet: Registered, id: string): Wallet {
  let address: string | null = null;
  return {
    id,
    name: nameFrom(wallet.name),
    icon: iconOf(wallet.icon),
    chain: "solana",
    async connect() {
      const connect = wallet.features["standard:connect"];
      const told = await asked(async () => connect?.connect());
      const account = (told?.accounts ?? wallet.accounts).find((one) => one.chains.some(isSolanaChain));
      if (!account) throw new WalletError("wallet.no_account");
      address = account.address;
      return address;
    },
    async signMessage(text) {
      if (address === null) throw new WalletError("wallet.no_account");
      const account = wallet.accounts.find((one) => one.address === address);
      if (!account) throw new WalletError("wallet.account_changed");
      const message = new TextEncoder().encode(text);
      const sign = wallet.features["solana:signMessage"];
      const [signed] = (await asked(async () => sign?.signMessage({ account, message }))) ?? [];
      if (!signed || signed.signature.length !== 64) {
        throw new WalletError("wallet.failed", "it gave no signature");
      }
      if (!isSame(signed.signedMessage, message)) throw new WalletError("wallet.message_changed");
      return base58(signed.signature);
    },
  };
}

function isSolanaChain(chain: unknown): boolean {
  return typeof chain === "string" && chain.startsWith("solana:");
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
