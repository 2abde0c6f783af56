/** A wallet in this browser, whichever chain it is of, and what can go wrong with one. */

export interface Wallet {
  /** The same as long as the page is open. */
  id: string;
  name: string;
  /** A `data:` image, null where the wallet gave none that the page's policy allows. */
  icon: string | null;
  chain: "solana" | "evm";
  /** Ask for an account; returns its address. */
  connect(): Promise<string>;
  /** Have the connected account sign a text; base58 on Solana, 0x hex on EVM. */
  signMessage(text: string): Promise<string>;
  /** The EIP-155 number of the network an EVM wallet is on. */
  chainId?(): Promise<number>;
}

export type WalletCode =
  | "wallet.rejected"
  | "wallet.busy"
  | "wallet.timeout"
  | "wallet.no_account"
  | "wallet.account_changed"
  | "wallet.message_changed"
  | "wallet.disconnected"
  | "wallet.failed";

const WORDS: Readonly<Record<WalletCode, string>> = {
  "wallet.rejected": "You declined in the wallet.",
  "wallet.busy": "The wallet has a question open already: answer it there, then try again.",
  "wallet.timeout": "The wallet did not answer in time.",
  "wallet.no_account": "The wallet shared no account that fits.",
  "wallet.account_changed": "The wallet is on another account now: connect it again.",
  "wallet.message_changed": "The wallet signed another text than it was shown.",
  "wallet.disconnected": "The wallet has no connection to its network.",
  "wallet.failed": "The wallet failed.",
};

/** Something that a wallet did not do; `code` is stable, `message` is for people. */
export class WalletError extends Error {
  override name = "WalletError";

  /** `said` is the wallet's own explanation, if it gave one. */
  constructor(
    readonly code: WalletCode,
    said = "",
  ) {
    super(said === "" ? WORDS[code] : `${WORDS[code]} It says: ${said.slice(0, 200)}`);
  }
}

/** People need a while: find the phone, type a password, read. */
export const ANSWER_MS = 5 * 60_000;

const CODES: Readonly<Record<string, WalletCode>> = {
  4001: "wallet.rejected",
  4100: "wallet.account_changed",
  4900: "wallet.disconnected",
  4901: "wallet.disconnected",
  [-32002]: "wallet.busy",
};
const DECLINED = /reject|denied|declin|cancel/i;

/** Ask a wallet, for a bounded time; what it throws becomes a `WalletError`. */
export async function asked<T>(question: () => Promise<T>, limitMs = ANSWER_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new WalletError("wallet.timeout")), limitMs);
  });
  try {
    return await Promise.race([question(), late]);
  } catch (problem) {
    throw problem instanceof WalletError ? problem : translated(problem);
  } finally {
    clearTimeout(timer);
  }
}

/** Wallets throw anything: EIP-1193 codes, errors, strings. */
function translated(problem: unknown): WalletError {
  const told = problem as { code?: unknown; message?: unknown } | null | undefined;
  const message = typeof told?.message === "string" ? told.message : String(problem);
  const code = CODES[String(told?.code)] ?? (DECLINED.test(message) ? "wallet.rejected" : "wallet.failed");
  return new WalletError(code, code === "wallet.failed" ? message : "");
}

const ICON_MAX = 200_000;

/** Return an icon that may be shown: an image inside of its own address. */
export function iconOf(icon: unknown): string | null {
  const fits = typeof icon === "string" && icon.startsWith("data:image/") && icon.length <= ICON_MAX;
  return fits ? icon : null;
}

/** Return a name that fits on a button. */
export function nameFrom(name: unknown): string {
  const told = typeof name === "string" ? name.replace(/\p{C}/gu, "").trim().slice(0, 40) : "";
  return told === "" ? "Wallet" : told;
}
