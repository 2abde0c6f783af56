// Starts Surfpool for the conformance suite: argv[2] is the folder its npm package is in.
// Prints {rpc, ws} on one line and runs until its standard input closes.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "package.json"));
const { Surfnet } = require("@solana/surfpool-linux-x64-gnu");
const net = Surfnet.startWithConfig({
  offline: true,
  blockProductionMode: "clock",
  slotTimeMs: 100,
  airdropSol: 1e11,
});
console.log(JSON.stringify({ rpc: net.rpcUrl, ws: net.wsUrl }));
process.stdin.on("end", () => process.exit(0)).resume();
