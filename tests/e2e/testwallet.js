/**
 * Two wallets for the browser flows, as real ones come forward: EIP-6963 (https://eips.ethereum.org/EIPS/eip-6963) and the
 * wallet-standard (https://github.com/wallet-standard/wallet-standard). No key is in the page: Python (`wallets.py`) is asked
 * by the exposed function `__testWallet` and signs, or declines.
 */
(() => {
  const ICON = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA4IDgiPjxyZWN0IHdpZHRoPSI4IiBoZWlnaHQ9IjgiIGZpbGw9IiM2ZWE4ZmUiLz48L3N2Zz4=";

  async function ask(chain, method, params) {
    const answer = await window.__testWallet(JSON.stringify({ chain, method, params }));
    if (!answer.error) return answer.result;
    const { code, message } = answer.error;
    throw Object.assign(new Error(message), { code });
  }

  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

  function announceEvm() {
    const info = Object.freeze({ uuid: "6f9619ff-8b86-4d01-b42d-00c04fc964ff", name: "Test EVM", icon: ICON, rdns: "test.wallet" });
    const provider = { request: ({ method, params }) => ask("evm", method, params ?? []), on() {}, removeListener() {} };
    const announce = () =>
      window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
    window.addEventListener("eip6963:requestProvider", announce);
    announce();
  }

  function registerSolana() {
    let accounts = [];
    const read = async (method) => {
      const [address, publicKey] = await ask("solana", method, []);
      accounts = [{ address, publicKey: bytes(publicKey), chains: ["solana:mainnet", "solana:devnet", "solana:localnet"], features: [] }];
      return { accounts };
    };
    const wallet = {
      version: "1.0.0",
      name: "Test Solana",
      icon: ICON,
      chains: ["solana:mainnet", "solana:devnet", "solana:localnet"],
      get accounts() {
        return accounts;
      },
      features: {
        "standard:connect": { version: "1.0.0", connect: () => read("connect") },
        "standard:events": { version: "1.0.0", on: () => () => {} },
        "solana:signMessage": {
          version: "1.0.0",
          signMessage: async ({ account, message }) => {
            const signature = await ask("solana", "signMessage", [account.address, hex(message)]);
            return [{ signedMessage: message, signature: bytes(signature) }];
          },
        },
      },
    };
    const register = ({ register: take }) => take(wallet);
    window.addEventListener("wallet-standard:app-ready", (event) => register(event.detail));
    window.dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: register }));
  }

  announceEvm();
  registerSolana();
})();
