import { expect, test } from "vitest";
import { type Choice, matching, orderId } from "./choices";

const choice = (label: string, some: Partial<Choice> = {}): Choice => ({
  id: label,
  group: "Pages",
  label,
  run: () => undefined,
  ...some,
});
const ALL = [
  choice("SOL-USDC", { group: "Markets", words: "trade SOL USDC" }),
  choice("BTC-USDC", { group: "Markets", words: "trade BTC USDC" }),
  choice("Trade"),
  choice("Activity & audit"),
  choice("Use the light theme", { group: "Actions" }),
];
const found = (typed: string) => matching(ALL, typed).map(({ label }) => label);

test("nothing typed: all, as they come", () => {
  expect(found(" ")).toEqual(ALL.map(({ label }) => label));
});

test("every word must be found, in any order and case", () => {
  expect(found("usdc btc")).toEqual(["BTC-USDC"]);
  expect(found("usdc theme")).toEqual([]);
});

test("a label that begins so stands first", () => {
  expect(found("trade")).toEqual(["Trade", "SOL-USDC", "BTC-USDC"]);
});

test("an order is found by its id alone", () => {
  const id = "0199D1F0-7a2b-7c3d-8e4f-0123456789ab";
  expect(orderId(` ${id} `)).toBe(id.toLowerCase());
  expect(orderId(id.slice(1))).toBeNull();
  expect(orderId("SOL")).toBeNull();
});
