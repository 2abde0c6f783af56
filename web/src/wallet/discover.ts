/** The wallets of this browser: both standards are events of the window, so no library is needed. */
import { Cell } from "../live/cell";
import { evmWallet, isAnnounced } from "./evm";
import { isSolana, solanaWallet } from "./solana";
import type { Wallet } from "./wallet";

const WALLETS_MAX = 30;

/** Listen for wallets at a window, and ask those that are there already to come forward. */
export function discoverAt(window: EventTarget): Cell<Wallet[]> {
  const found = new Cell<Wallet[]>([]);
  const registered = new Set<unknown>();

  function add(wallet: Wallet): void {
    const known = found.get();
    if (known.length >= WALLETS_MAX || known.some((one) => one.id === wallet.id)) return;
    found.set([...known, wallet]);
  }

  function remove(id: string): void {
    found.set(found.get().filter((one) => one.id !== id));
  }

  /** What the wallet-standard lets a wallet call; it may leave again. */
  function register(...wallets: unknown[]): () => void {
    const ids = wallets.map((wallet) => {
      if (!isSolana(wallet) || registered.has(wallet) || registered.size >= WALLETS_MAX) return null;
      registered.add(wallet);
      const id = `solana:${wallet.name}:${registered.size}`;
      add(solanaWallet(wallet, id));
      return id;
    });
    return () => {
      for (const id of ids) if (id !== null) remove(id);
    };
  }

  window.addEventListener("eip6963:announceProvider", (event) => {
    const { detail } = event as CustomEvent<unknown>;
    if (isAnnounced(detail)) add(evmWallet(detail));
  });
  window.addEventListener("wallet-standard:register-wallet", (event) => {
    const { detail } = event as CustomEvent<unknown>;
    if (typeof detail === "function") detail({ register });
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  window.dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: { register } }));
  return found;
}

let found: Cell<Wallet[]> | null = null;

/** Return the wallets of this browser, as they come forward. */
export function discover(): Cell<Wallet[]> {
  found ??= discoverAt(window);
  return found;
}
