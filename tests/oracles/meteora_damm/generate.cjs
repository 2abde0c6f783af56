// Writes tests/vectors/meteora_damm_v2.json: what the official SDK quotes for pools made by our own
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
const { Connection } = require("@solana/web3.js");
const sdk = require("@meteora-ag/cp-amm-sdk");

const root = path.resolve(__dirname, "../../..");
const target = path.join(root, "tests/vectors/meteora_damm_v2.json");
const coder = new sdk.CpAmm(new Connection("http://127.0.0.1:1"))._program.coder.accounts;

// Why the SDK does not fill a swap; any other error is one of this script.
const REASONS = ["PriceRangeViolationError", "MathOverflowError", "InsufficientLiquidityError", "InvalidInputError"];

function questions() {
  const python = process.env.PYTHON || "python3";
  const env = { ...process.env, PYTHONPATH: ["src", "."].join(path.delimiter) };
  const output = execFileSync(python, ["-m", "tests.oracles.meteora_damm.cases"], {
    cwd: root,
    env,
    maxBuffer: 1 << 28,
  });
  return JSON.parse(output);
}

// [paid, received, fee, protocol's part of the fee], or null when the pool cannot fill it.
function answer(pool, [exactIn, paysA, amount, later]) {
  const direction = paysA ? sdk.TradeDirection.AtoB : sdk.TradeDirection.BtoA;
  const mode = sdk.getFeeMode(pool.collectFeeMode, direction, false);
  const quote = exactIn ? sdk.getSwapResultFromExactInput : sdk.getSwapResultFromExactOutput;
  try {
    const result = quote(pool, new BN(amount), mode, direction, pool.activationPoint.addn(later));
    const fee = result.claimingFee.add(result.compoundingFee).add(result.protocolFee);
    return [result.includedFeeInputAmount, result.outputAmount, fee, result.protocolFee].map(String);
  } catch (error) {
    if (REASONS.includes(error.name)) return null;
    throw error;
  }
}

function vectors(pools) {
  return pools.map(({ numbers, account, asked }) => {
    const pool = coder.decode("pool", Buffer.from(account, "base64"));
    return { numbers, cases: asked.map((one) => [...one, answer(pool, one)]) };
  });
}

// The rate in 10^-9 of an amount with the fee in it or no longer in it, or null.
function rate([cliff, increment, most, reference], [whole, amount]) {
  const limiter = new sdk.FeeRateLimiter(new BN(cliff), increment, most, 1, new BN(reference));
  const ask = whole ? "getBaseFeeNumeratorFromIncludedFeeAmount" : "getBaseFeeNumeratorFromExcludedFeeAmount";
  const zero = new BN(0);
  try {
    return Number(limiter[ask](zero, zero, sdk.TradeDirection.BtoA, new BN(amount), zero, zero));
  } catch (error) {
    if (REASONS.includes(error.name)) return null;
    throw error;
  }
}

function rates(limiters) {
  return limiters.map(({ limiter, asked }) => ({ limiter, cases: asked.map((one) => [...one, rate(limiter, one)]) }));
}

const { pools, limiters } = questions();
const document = {
  oracle: "@meteora-ag/cp-amm-sdk 1.5.0: getSwapResultFromExactInput, getSwapResultFromExactOutput, FeeRateLimiter",
  columns: ["exact in", "pays A", "amount", "time after activation", "[paid, received, fee, protocol fee] or null"],
  limiter_columns: ["fee in it", "amount", "rate or null"],
  pools: vectors(pools),
  limiters: rates(limiters),
};
const line = ({ cases, ...what }) =>
  `{${JSON.stringify(what).slice(1, -1)}, "cases": [\n${cases.map((one) => JSON.stringify(one)).join(",\n")}\n]}`;
const parts = Object.entries(document).map(([name, value]) => {
  const rows = value[0].cases ? `[\n${value.map(line).join(",\n")}\n]` : JSON.stringify(value);
  return `${JSON.stringify(name)}: ${rows}`;
});
fs.writeFileSync(target, `{${parts.join(",\n")}}\n`);
const count = [...document.pools, ...document.limiters].reduce((sum, { cases }) => sum + cases.length, 0);
console.log(`${count} cases in ${path.relative(root, target)}`);
process.exit(0);
