/** The words for the desk's modes. Pure. A mode that is not known is shown as it is, never as a safe one. */

export interface ModeWord {
  text: string;
  means: string;
  kind: "live" | "paper" | "test" | "unknown";
}

const WORDS: Readonly<Record<string, ModeWord>> = {
  mainnet: { text: "LIVE", means: "real money", kind: "live" },
  paper: { text: "PAPER", means: "nothing is sent to any chain", kind: "paper" },
  localnet: { text: "TEST NET", means: "a chain on this machine, worthless tokens", kind: "test" },
  devnet: { text: "TEST NET", means: "Solana's devnet, worthless tokens", kind: "test" },
};

export function modeWord(mode: string | null | undefined): ModeWord {
  if (!mode) return { text: "MODE ?", means: "not known yet", kind: "unknown" };
  return WORDS[mode] ?? { text: mode.toUpperCase(), means: "a mode this page does not know", kind: "live" };
}
