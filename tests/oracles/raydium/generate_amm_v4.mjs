// Print what Raydium's SDK says of AMM v4 swaps chosen by a seeded generator:
//
//     node generate_amm_v4.mjs > ../../vectors/raydium_amm_v4.json
//
// Offline: the network is made to throw. Each row is
//   [exact input?, amount, input reserve, output reserve, null or [paid, received, fee]]
// at the fee the SDK knows, 25 in 10,000. null: the SDK threw or changed the amount asked for, or
// its answer is nothing or does not fit 64 bits.
import { createRequire } from "node:module";

globalThis.fetch = () => {
  throw new Error("offline");
};
const require = createRequire(import.meta.url);
const BN = require("bn.js");
const { Raydium } = require("@raydium-io/raydium-sdk-v2");

const SEED = 20250302n;
const PER_SHAPE = 120;
const U64 = 1n << 64n;
// Amounts and reserves as powers of two, with what is drawn below the top bit.
const SHAPES = [
  { amount: 30, input: 45, output: 42 },
  { amount: 1, input: 40, output: 40 },
  { amount: 6, input: 12, output: 12 },
  { amount: 44, input: 44, output: 44 },
  { amount: 62, input: 62, output: 62 },
  { amount: 20, input: 63, output: 30 },
];
const BASE = { address: "base", decimals: 9 };
const QUOTE = { address: "quote", decimals: 6 };

const { liquidity } = await Raydium.load({
  connection: {},
  disableLoadToken: true,
  disableFeatureCheck: true,
});

// splitmix64, https://prng.di.unimi.it/splitmix64.c (public domain)
let state = SEED;
function next() {
  state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
  let z = state;
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

const drawn = (bits) => 1n + (next() >> BigInt(64 - bits));
const big = (number) => new BN(number.toString());

// The pool's base token comes in every other time.
function pool(sellBase, input, output) {
  const [baseReserve, quoteReserve] = (sellBase ? [input, output] : [output, input]).map(big);
  const poolInfo = { version: 4, mintA: BASE, mintB: QUOTE, baseReserve, quoteReserve };
  const [mintIn, mintOut] = sellBase ? [BASE, QUOTE] : [QUOTE, BASE];
  return { poolInfo, mintIn: mintIn.address, mintOut: mintOut.address, slippage: 0 };
}

function answer(exactInput, amount, asked) {
  try {
    if (exactInput) {
      const said = liquidity.computeAmountOut({ ...asked, amountIn: big(amount) });
      return [amount, said.amountOut, said.fee];
    }
    const said = liquidity.computeAmountIn({ ...asked, amountOut: big(amount) });
    return [said.amountIn, amount, said.fee];
  } catch {
    return null;
  }
}

function usable(row, output) {
  const fits = row.every((n) => BigInt(n) >= 0n && BigInt(n) < U64);
  return fits && BigInt(row[0]) > 0n && BigInt(row[1]) > 0n && BigInt(row[1]) < output;
}

const lines = [];
for (const exactInput of [true, false]) {
  for (const shape of SHAPES) {
    for (let i = 0; i < PER_SHAPE; i++) {
      const [amount, input, output] = [shape.amount, shape.input, shape.output].map(drawn);
      const said = answer(exactInput, amount, pool(i % 2 === 0, input, output))?.map(String);
      const row = said && usable(said, output) ? said : null;
      lines.push(JSON.stringify([exactInput, ...[amount, input, output].map(String), row]));
    }
  }
}
// The SDK keeps the process alive: leave when everything is written.
process.stdout.write(`[\n${lines.join(",\n")}\n]\n`, () => process.exit(0));
