import { describe, expect, test, vi } from "vitest";
import { base58 } from "./base58";
import { discoverAt } from "./discover";
import { asked, iconOf, nameFrom, WalletError } from "./wallet";

const ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7";
const ICON = "data:image/svg+xml,<svg/>";

function evm(uuid: string, answers: Record<string, unknown>) {
  const request = vi.fn(async ({ method }: { method: string; params?: unknown[] }) => {
    const answer = answers[method];
    if (answer instanceof Error || (answer as { code?: number } | undefined)?.code) throw answer;
    return answer;
  });
  return { detail: { info: { uuid, name: "Fox", icon: ICON, rdns: "io.fox" }, provider: { request } }, request };
}

function announce(window: EventTarget, detail: unknown): void {
  window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
}

const account = { address: "So1anaAddress", chains: ["solana:mainnet"] };

function solana(more: object = {}) {
  const signMessage = vi.fn(async ({ message }: { message: Uint8Array }) => [
    { signedMessage: message, signature: new Uint8Array(64).fill(7) },
  ]);
  const wallet = {
    name: "Ghost",
    icon: ICON,
    chains: ["solana:mainnet"],
    accounts: [account],
    features: {
      "standard:connect": { connect: async () => ({ accounts: [account] }) },
      "solana:signMessage": { signMessage },
    },
    ...more,
  };
  return { wallet, signMessage };
}

/** A wallet that was there before the page began to listen, as the wallet-standard has it. */
function registerAt(window: EventTarget, ...wallets: unknown[]): () => void {
  let leave = () => undefined as unknown;
  const callback = ({ register }: { register(...wallets: unknown[]): () => void }) => {
    leave = register(...wallets);
  };
  window.addEventListener("wallet-standard:app-ready", (event) =>
    callback((event as CustomEvent).detail),
  );
  window.dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: callback }));
  return () => void leave();
}

const code = async (call: Promise<unknown>): Promise<string> => {
  const thrown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(WalletError);
  return (thrown as WalletError).code;
};

describe("discovery", () => {
  test("wallets of both chains, before and after the page begins to listen", () => {
    const window = new EventTarget();
    window.addEventListener("eip6963:requestProvider", () => announce(window, evm("early", {}).detail));
    registerAt(window, solana().wallet);
    const found = discoverAt(window);
    announce(window, evm("late", {}).detail);
    registerAt(window, solana({ name: "Later" }).wallet);
    expect(found.get().map((one) => [one.chain, one.name])).toEqual([
      ["evm", "Fox"],
      ["solana", "Ghost"],
      ["evm", "Fox"],
      ["solana", "Later"],
    ]);
    expect(new Set(found.get().map((one) => one.id)).size).toBe(4);
  });

  test("one that announces itself twice is there once", () => {
    const window = new EventTarget();
    const found = discoverAt(window);
    const { detail } = evm("same", {});
    const { wallet } = solana();
    for (let n = 0; n < 3; n += 1) {
      announce(window, detail);
      registerAt(window, wallet);
    }
    expect(found.get()).toHaveLength(2);
  });

  test("what is no wallet, or of another chain, is left aside", () => {
    const window = new EventTarget();
    const found = discoverAt(window);
    for (const detail of [null, undefined, 5, {}, { info: {} }, { info: { uuid: "x" }, provider: {} }]) {
      announce(window, detail);
      registerAt(window, detail);
    }
    registerAt(window, solana({ chains: ["sui:mainnet"] }).wallet, solana({ features: {} }).wallet);
    window.dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: "no function" }));
    expect(found.get()).toEqual([]);
  });

  test("a page full of them is bounded; one that leaves is gone", () => {
    const window = new EventTarget();
    const found = discoverAt(window);
    const leave = registerAt(window, solana().wallet);
    expect(found.get()).toHaveLength(1);
    leave();
    expect(found.get()).toEqual([]);
    for (let n = 0; n < 500; n += 1) announce(window, evm(`w${n}`, {}).detail);
    expect(found.get()).toHaveLength(30);
  });
});

describe("an EVM wallet", () => {
  function connected(answers: Record<string, unknown>) {
    const window = new EventTarget();
    const found = discoverAt(window);
    const fake = evm("one", { eth_requestAccounts: [ADDRESS], eth_accounts: [ADDRESS], ...answers });
    announce(window, fake.detail);
    const wallet = found.get()[0];
    if (!wallet) throw new Error("not found");
    return { wallet, request: fake.request };
  }

  test("connects, and signs the bytes of the text", async () => {
    const { wallet, request } = connected({ personal_sign: "0xabcd", eth_chainId: "0x38" });
    expect(await wallet.connect()).toBe(ADDRESS);
    expect(await wallet.signMessage("hé")).toBe("0xabcd");
    expect(request).toHaveBeenLastCalledWith({ method: "personal_sign", params: ["0x68c3a9", ADDRESS] });
    expect(await wallet.chainId?.()).toBe(56);
  });

  test("a person who declines is told apart from a wallet that fails", async () => {
    expect(await code(connected({ eth_requestAccounts: { code: 4001 } }).wallet.connect())).toBe("wallet.rejected");
    expect(await code(connected({ eth_requestAccounts: { code: -32002 } }).wallet.connect())).toBe("wallet.busy");
    expect(await code(connected({ eth_requestAccounts: new Error("boom") }).wallet.connect())).toBe("wallet.failed");
    expect(await code(connected({ eth_requestAccounts: [] }).wallet.connect())).toBe("wallet.no_account");
    expect(await code(connected({ eth_requestAccounts: "x" }).wallet.connect())).toBe("wallet.no_account");
  });

  test("on another account than it was connected with does not sign", async () => {
    const { wallet, request } = connected({ eth_accounts: [`0x${"1".repeat(40)}`], personal_sign: "0xab" });
    await wallet.connect();
    expect(await code(wallet.signMessage("x"))).toBe("wallet.account_changed");
    expect(request).not.toHaveBeenCalledWith(expect.objectContaining({ method: "personal_sign" }));
  });

  test("that was not connected, or gives no signature, is an error", async () => {
    expect(await code(connected({}).wallet.signMessage("x"))).toBe("wallet.no_account");
    const { wallet } = connected({ personal_sign: null });
    await wallet.connect();
    expect(await code(wallet.signMessage("x"))).toBe("wallet.failed");
  });
});

describe("a Solana wallet", () => {
  function connected(more: object = {}) {
    const window = new EventTarget();
    const found = discoverAt(window);
    const fake = solana(more);
    registerAt(window, fake.wallet);
    const wallet = found.get()[0];
    if (!wallet) throw new Error("not found");
    return { wallet, signMessage: fake.signMessage, registered: fake.wallet };
  }

  test("connects, and signs the bytes of the text", async () => {
    const { wallet, signMessage } = connected();
    expect(await wallet.connect()).toBe(account.address);
    expect(await wallet.signMessage("hé")).toBe(base58(new Uint8Array(64).fill(7)));
    expect(signMessage).toHaveBeenCalledWith({ account, message: new Uint8Array([0x68, 0xc3, 0xa9]) });
  });

  test("that signed another text than it was shown is not believed", async () => {
    const { wallet, signMessage } = connected();
    await wallet.connect();
    signMessage.mockResolvedValueOnce([{ signedMessage: new Uint8Array([1]), signature: new Uint8Array(64) }]);
    expect(await code(wallet.signMessage("x"))).toBe("wallet.message_changed");
  });

  test("whose account left, or whose person declined, is an error", async () => {
    const { wallet, signMessage, registered } = connected();
    await wallet.connect();
    signMessage.mockRejectedValueOnce(new Error("User rejected the request."));
    expect(await code(wallet.signMessage("x"))).toBe("wallet.rejected");
    signMessage.mockResolvedValueOnce([]);
    expect(await code(wallet.signMessage("x"))).toBe("wallet.failed");
    registered.accounts = [];
    expect(await code(wallet.signMessage("x"))).toBe("wallet.account_changed");
  });

  test("with accounts of other chains only shares none that fits", async () => {
    const other = { address: "x", chains: ["sui:mainnet"] };
    const features = {
      ...solana().wallet.features,
      "standard:connect": { connect: async () => ({ accounts: [other] }) },
    };
    expect(await code(connected({ features }).wallet.connect())).toBe("wallet.no_account");
  });
});

test("a wallet that never answers is given up", async () => {
  expect(await code(asked(() => new Promise(() => undefined), 5))).toBe("wallet.timeout");
});

test("icons are images inside of their own address, names fit on a button", () => {
  expect(iconOf(ICON)).toBe(ICON);
  for (const icon of ["https://x/y.png", "javascript:1", "data:text/html,x", `data:image/png,${"x".repeat(300_000)}`, 5]) {
    expect(iconOf(icon)).toBeNull();
  }
  expect(nameFrom(`\u202e${"x".repeat(100)}`)).toBe("x".repeat(40));
  expect(nameFrom("\n")).toBe("Wallet");
  expect(nameFrom(undefined)).toBe("Wallet");
});

// https://datatracker.ietf.org/doc/html/draft-msporny-base58-03#section-5
test.each([
  ["48656c6c6f20576f726c6421", "2NEpo7TZRRrLZSi2U"],
  ["0000287fb4cd", "11233QC4"],
  ["", ""],
  ["00", "1"],
])("base58 of %s", (hex, text) => {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  expect(base58(bytes)).toBe(text);
});
