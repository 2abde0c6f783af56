/** EVM wallets: EIP-6963 announces them, EIP-1193 talks to them. */
import { asked, iconOf, nameFrom, type Wallet, WalletError } from "./wallet";

/** What EIP-6963 announces (https://eips.ethereum.org/EIPS/eip-6963). */
export interface Announced {
  info: { uuid: string; name: string; icon: string; rdns: string };
  provider: { request(asked: { method: string; params?: unknown[] }): Promise<unknown> };
}

/** Return whether something that was announced is a wallet. */
export function isAnnounced(detail: unknown): detail is Announced {
  const told = detail as Partial<Announced> | null;
  return typeof told?.info?.uuid === "string" && typeof told.provider?.request === "function";
}

/** Return an announced wallet as one of ours. */
export function evmWallet({ info, provider }: Announced): Wallet {
  let address: string | null = null;
  const ask = (method: string, ...params: unknown[]) =>
    asked(() => provider.request(params.length > 0 ? { method, params } : { method }));
  return {
    id: `evm:${info.uuid}`,
    name: nameFrom(info.name),
    icon: iconOf(info.icon),
    chain: "evm",
    async connect() {
      address = firstAddress(await ask("eth_requestAccounts"));
      if (address === null) throw new WalletError("wallet.no_account");
      return address;
    },
    async signMessage(text) {
      if (address === null) throw new WalletError("wallet.no_account");
      const now = firstAddress(await ask("eth_accounts"));
      if (now?.toLowerCase() !== address.toLowerCase()) throw new WalletError("wallet.account_changed");
      const signature = await ask("personal_sign", hex(new TextEncoder().encode(text)), address);
      if (typeof signature === "string" && /^0x[0-9a-fA-F]+$/.test(signature)) return signature;
      throw new WalletError("wallet.failed", "it gave no signature");
    },
    async chainId() {
      const told = Number(await ask("eth_chainId"));
      if (!Number.isSafeInteger(told) || told <= 0) throw new WalletError("wallet.disconnected");
      return told;
    },
  };
}

function firstAddress(accounts: unknown): string | null {
  const first: unknown = Array.isArray(accounts) ? accounts[0] : null;
  return typeof first === "string" && /^0x[0-9a-fA-F]{40}$/.test(first) ? first : null;
}

function hex(bytes: Uint8Array): string {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
