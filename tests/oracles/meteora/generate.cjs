// Writes tests/vectors/meteora_dlmm.json: what the official SDK quotes for pools made by our own
// generator (cases.py). Development only and offline: `npm ci`, then
// `PYTHON=.venv/bin/python npm run generate`; PYTHON is relative to the checkout.
"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

globalThis.fetch = () => {
  throw new Error("the oracle works offline");
};

const BN = require("bn.js");
const { Connection, PublicKey } = require("@solana/web3.js");
const DLMM = require("@meteora-ag/dlmm");

const root = path.resolve(__dirname, "../../..");
const target = path.join(root, "tests/vectors/meteora_dlmm.json");
const program = DLMM.createProgram(new Connection("http://127.0.0.1:1"), { cluster: "mainnet-beta" });

function questions() {
  const python = process.env.PYTHON || "python3";
  const env = { ...process.env, PYTHONPATH: ["src", "."].join(path.delimiter) };
  const output = execFileSync(python, ["-m", "tests.oracles.meteora.cases"], {
    cwd: root,
    env,
    maxBuffer: 1 << 28,
  });
  return JSON.parse(output);
}

function token(mint, reserve) {
  return { publicKey: mint, reserve, amount: 0n, mint: { address: mint, decimals: 6, tlvData: Buffer.alloc(0) } };
}

function clock(seconds) {
  const zero = new BN(0);
  return { slot: zero, epochStartTimestamp: zero, epoch: zero, leaderScheduleEpoch: zero, unixTimestamp: new BN(seconds) };
}

function poolOf(question, seconds) {
  const address = new PublicKey(question.address);
  const pair = DLMM.decodeAccount(program, "lbPair", Buffer.from(question.pair, "base64"));
  const tokenX = token(pair.tokenXMint, pair.reserveX);
  const tokenY = token(pair.tokenYMint, pair.reserveY);
  return new DLMM(address, program, pair, null, tokenX, tokenY, [null, null], clock(seconds), {});
}

// [amount in, amount out, fee of the liquidity providers, protocol fee], or null when the pool cannot fill it.
function answer(pool, arrays, [exactIn, sellX, amount]) {
  const size = new BN(amount);
  try {
    if (exactIn) {
      const quote = pool.swapQuote(size, Boolean(sellX), new BN(0), arrays, false);
      return [quote.consumedInAmount, quote.outAmount, quote.fee, quote.protocolFee].map(String);
    }
    const quote = pool.swapQuoteExactOut(size, Boolean(sellX), new BN(0), arrays);
    return [quote.inAmount, quote.outAmount, quote.fee, quote.protocolFee].map(String);
  } catch (error) {
    if (/insufficient liquidity/i.test(error.message)) return null;
    throw error;
  }
}

function vectors({ updated_s: updated, pools }) {
  return pools.map((question) => {
    const address = new PublicKey(question.address);
    const arrays = question.arrays.map((data) => {
      const account = DLMM.decodeAccount(program, "binArray", Buffer.from(data, "base64"));
      return { publicKey: DLMM.deriveBinArray(address, account.index, program.programId)[0], account };
    });
    const cases = question.asked.map((asked) => {
      const seconds = updated + asked[3];
      Date.now = () => seconds * 1000;
      return [...asked, answer(poolOf(question, seconds), arrays, asked)];
    });
    return { numbers: question.numbers, cases };
  });
}

const document = {
  oracle: "@meteora-ag/dlmm 1.9.14: swapQuote, swapQuoteExactOut",
  columns: ["exact in", "sells X", "amount", "seconds after the last swap", "[in, out, LP fee, protocol fee] or null"],
  pools: vectors(questions()),
};
const lines = document.pools.map(
  ({ numbers, cases }) =>
    `{"numbers": ${JSON.stringify(numbers)}, "cases": [\n${cases.map((c) => JSON.stringify(c)).join(",\n")}\n]}`,
);
fs.writeFileSync(
  target,
  `{"oracle": ${JSON.stringify(document.oracle)},\n"columns": ${JSON.stringify(document.columns)},\n"pools": [\n${lines.join(",\n")}\n]}\n`,
);
console.log(`${document.pools.reduce((sum, pool) => sum + pool.cases.length, 0)} cases in ${path.relative(root, target)}`);
process.exit(0);
