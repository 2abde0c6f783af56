export { discover } from "./discover";
export { type Wallet, type WalletCode, WalletError } from "./wallet";
