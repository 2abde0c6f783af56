import { expect, test } from "vitest";
import { explorerLink } from "./explorer";
import { modeWord } from "./mode";

const TX = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW";

test("an explorer is linked only where it knows the chain", () => {
  expect(explorerLink("mainnet", "tx", TX)).toBe(`https://explorer.solana.com/tx/${TX}`);
  expect(explorerLink("devnet", "account", TX)).toBe(`https://explorer.solana.com/address/${TX}?cluster=devnet`);
  for (const mode of ["localnet", "paper", undefined]) expect(explorerLink(mode, "tx", TX)).toBeNull();
});

test("what is no base58 never becomes a link", () => {
  expect(explorerLink("mainnet", "tx", "../../evil?x=")).toBeNull();
  expect(explorerLink("mainnet", "account", "0x52908400098527886E0F7030069857D2E4169EE7")).toBeNull();
});

test("a mode is never shown as safer than it is", () => {
  expect(modeWord("mainnet")).toMatchObject({ text: "LIVE", kind: "live" });
  expect(modeWord("paper").text).toBe("PAPER");
  expect(modeWord("localnet").text).toBe("TEST NET");
  expect(modeWord("devnet").text).toBe("TEST NET");
  expect(modeWord("testnet2")).toMatchObject({ text: "TESTNET2", kind: "live" });
  expect(modeWord(undefined).kind).toBe("unknown");
});
