/** Where a chain's explorer shows an account or a transaction; none for a chain on this machine, nor on paper. */

const CLUSTERS: Readonly<Record<string, string>> = { mainnet: "", devnet: "?cluster=devnet" };
const BASE58 = /^[1-9A-HJ-NP-Za-km-z]{32,90}$/;

export function explorerLink(mode: string | undefined, kind: "account" | "tx", value: string): string | null {
  const cluster = mode === undefined ? undefined : CLUSTERS[mode];
  if (cluster === undefined || !BASE58.test(value)) return null;
  return `https://explorer.solana.com/${kind === "tx" ? "tx" : "address"}/${value}${cluster}`;
}
