// Print what Raydium's SDK says of swaps chosen by a seeded generator; run by `npm run generate`.
//
// Offline: the network is made to throw. Each row is
//   [exact input?, amount, input reserve, output reserve,
//    [trade, creator, protocol, fund] in millionths, creator's fee on input?,
//    null or [input, output, curve input, curve output, trade, protocol, fund, creator fee]]
// null: the SDK threw, or its answer leaves the pool with nothing or does not fit 64 bits.
import { createRequire } from "node:module";

globalThis.fetch = () => {
  throw new Error("offline");
};
const require = createRequire(import.meta.url);
const BN = require("bn.js");
const { CurveCalculator } = require("@raydium-io/raydium-sdk-v2");

const SEED = 20250301n;
const PER_SHAPE = 20;
const U64 = 1n << 64n;
const RATES = [
  [2500, 0, 120000, 40000],
  [100, 0, 120000, 40000],
  [10000, 0, 120000, 40000],
  [20000, 500, 0, 0],
  [2500, 500, 120000, 40000],
  [2500, 2500, 120000, 40000],
  [1, 1, 1000000, 0],
  [999998, 1, 500000, 500000],
];
// Amounts and reserves as powers of two, with what is drawn below the top bit.
const SHAPES = [
  { amount: 30, input: 45, output: 42 },
  { amount: 1, input: 40, output: 40 },
  { amount: 6, input: 12, output: 12 },
  { amount: 52, input: 44, output: 44 },
  { amount: 62, input: 62, output: 62 },
];

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

function answer(exactInput, amount, input, output, rates, onInput) {
  const numbers = [amount, input, output].map((n) => new BN(n.toString()));
  const [trade, creator, protocol, fund] = rates.map((rate) => new BN(rate));
  const ask = exactInput ? CurveCalculator.swapBaseInput : CurveCalculator.swapBaseOutput;
  let said;
  try {
    said = ask(...numbers, trade, creator, protocol, fund, onInput);
  } catch {
    return null;
  }
  const curveInput = said.newInputVaultAmount.sub(numbers[1]);
  const curveOutput = numbers[2].sub(said.newOutputVaultAmount);
  const row = [said.inputAmount, said.outputAmount, curveInput, curveOutput,
    said.tradeFee, said.protocolFee, said.fundFee, said.creatorFee].map((n) => n.toString());
  const usable = BigInt(said.newOutputVaultAmount.toString()) > 0n && BigInt(row[1]) > 0n;
  return usable && row.every((n) => BigInt(n) >= 0n && BigInt(n) < U64) ? row : null;
}

const lines = [];
for (const exactInput of [true, false]) {
  for (const rates of RATES) {
    for (const shape of SHAPES) {
      for (let i = 0; i < PER_SHAPE; i++) {
        const [amount, input, output] = [shape.amount, shape.input, shape.output].map(drawn);
        const onInput = i % 2 === 0;
        const said = answer(exactInput, amount, input, output, rates, onInput);
        const asked = [amount, input, output].map(String);
        lines.push(JSON.stringify([exactInput, ...asked, rates, onInput, said]));
      }
    }
  }
}
// The SDK keeps the process alive: leave when everything is written.
process.stdout.write(`[\n${lines.join(",\n")}\n]\n`, () => process.exit(0));
