// The peer of the fan-out: node `ws`, the library most Node desks use, telling every client the same.
//
//   node fanout.mjs --rate MESSAGES_PER_S --keys KEYS [--join MS]
//
// Each message is serialized once and sent to each client (https://github.com/websockets/ws, "server
// broadcast"). With --join, what gathers in MS leaves as one message, an array: kinder than usual.
// Prints {"port":N} once it listens on 127.0.0.1.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';

const { values } = parseArgs({
  options: {
    rate: { type: 'string' },
    keys: { type: 'string' },
    join: { type: 'string', default: '0' },
  },
});
const rate = Number(values.rate), keys = Number(values.keys), joinMs = Number(values.join);
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
const realNs = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
const AT_ONCE = 5;
let sequence = 0, gathered = [];

function price(number) {
  const key = `A${number % keys}`;
  return `{"ch":"prices","key":"${key}","epoch":"peer","seq":${++sequence},"t":"${new Date().toISOString()}","d":` +
    `{"symbol":"${key}","value":"${150 + (number % 100) / 100}","source":"binance","confidence":"0.01",` +
    `"ageMs":3,"validity":"valid","sentNs":${realNs()}}}`;
}

function broadcast(text) {
  for (const socket of sockets.clients) socket.send(text);
}

function flush() {
  if (gathered.length) broadcast(`[${gathered.join(',')}]`);
  gathered = [];
}

let told = 0;
const began = performance.now();
setInterval(() => {
  const due = Math.floor((performance.now() - began) / 1000 * rate);
  // What it is too slow for is left out: a backlog without end would measure nothing but memory.
  if (due - told > rate / 5) told = due - Math.floor(rate / 5);
  // A few at a time: else it would have no turn left to let clients in.
  const until = joinMs ? due : Math.min(due, told + AT_ONCE);
  for (; told < until; told++) joinMs ? gathered.push(price(told)) : broadcast(price(told));
}, 1);
if (joinMs) setInterval(flush, joinMs);
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
process.on('SIGTERM', () => process.exit(0));
