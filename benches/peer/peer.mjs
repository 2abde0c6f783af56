// The documents' order flow on the documents' stack, API and worker in one process:
// POST inserts a row and queues a job (BullMQ), the worker walks the states, and every state goes
// through Redis pub/sub to the WebSockets. Written to be as fast as that design allows: no
// simulated delay, no rate limiter, one shared subscriber, named prepared statements, a pool.
//
//   node peer.mjs --postgres SOCKET_DIR --redis SOCKET --concurrency 50 --pool 20
//
// Prints {"port": N} on standard output once it serves; stops on SIGTERM.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import websocket from '@fastify/websocket';
import { Queue, Worker } from 'bullmq';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import pg from 'pg';
import { z } from 'zod';

const { values: args } = parseArgs({
  options: {
    postgres: { type: 'string' },
    redis: { type: 'string' },
    concurrency: { type: 'string' },
    pool: { type: 'string' },
  },
});
const REDIS = { path: args.redis, maxRetriesPerRequest: null };
const POSTGRES = { host: args.postgres, user: 'quantdesk', database: 'quantdesk' };
const now = () => new Date().toISOString();
const channel = (orderId) => `order-updates:${orderId}`;

// ---- store ----------------------------------------------------------------------------------

const pool = new pg.Pool({ ...POSTGRES, max: Number(args.pool) });

const store = {
  create: (order) =>
    pool.query({
      name: 'create',
      text: `insert into orders (id, pair, amount, direction, status, logs)
             values ($1, $2, $3, $4, 'PENDING', $5)`,
      values: [
        order.id, order.pair, order.amount, order.direction,
        JSON.stringify([{ status: 'PENDING', at: now() }]),
      ],
    }),

  move: (id, status, facts) =>
    pool.query({
      name: 'move',
      text: `update orders
                set status = $2, logs = logs || $3::jsonb, tx_hash = coalesce($4, tx_hash),
                    execution_price = coalesce($5, execution_price), updated_at = now()
              where id = $1`,
      values: [
        id, status, JSON.stringify([{ status, at: now(), ...facts }]),
        facts.txHash ?? null, facts.executionPrice ?? null,
      ],
    }),

  logs: async (id) => {
    const { rows } = await pool.query({
      name: 'logs', text: 'select logs from orders where id = $1', values: [id],
    });
    return rows[0]?.logs ?? [];
  },
};

// ---- worker: PENDING, ROUTING, BUILDING, SUBMITTED, CONFIRMED --------------------------------

const publisher = new Redis(REDIS);

const publish = (orderId, status, facts) =>
  publisher.publish(channel(orderId), JSON.stringify({ orderId, status, timestamp: now(), ...facts }));

async function move(orderId, status, facts = {}) {
  await store.move(orderId, status, facts);
  await publish(orderId, status, facts);
}

const quote = async (dex) => ({ dex, price: 148 + Math.random() * 2, fee: 0.003 });

async function bestQuote() {
  const [raydium, meteora] = await Promise.all([quote('Raydium'), quote('Meteora')]);
  const net = ({ price, fee }) => price * (1 - fee);
  return net(raydium) > net(meteora) ? raydium : meteora;
}

const swap = async () => ({ txHash: randomUUID().replaceAll('-', '') });

async function execute({ data: { orderId } }) {
  await publish(orderId, 'PENDING');
  await move(orderId, 'ROUTING');
  const { dex, price: executionPrice } = await bestQuote();
  await move(orderId, 'BUILDING', { executionPrice, dex });
  await move(orderId, 'SUBMITTED');
  const { txHash } = await swap();
  await move(orderId, 'CONFIRMED', { txHash, executionPrice });
}

const worker = new Worker('orders', execute, {
  connection: REDIS,
  concurrency: Number(args.concurrency),
});
worker.on('failed', async (job, error) => {
  const spent = job && job.attemptsMade >= job.opts.attempts;
  if (spent) await move(job.data.orderId, 'FAILED', { error: error.message });
});
worker.on('error', (error) => console.error(error));

// ---- API ------------------------------------------------------------------------------------

const queue = new Queue('orders', { connection: REDIS });
const Body = z.object({
  pair: z.string().min(3),
  amount: z.number().positive(),
  direction: z.enum(['BUY', 'SELL']),
});
const RETRIES = { attempts: 3, backoff: { type: 'exponential', delay: 2000 } };

const app = Fastify({ logger: false });
await app.register(websocket);

app.post('/api/orders', async (request, reply) => {
  const parsed = Body.safeParse(request.body);
  if (!parsed.success) return reply.code(400).send({ error: parsed.error.issues });
  const id = randomUUID();
  await store.create({ id, ...parsed.data });
  await queue.add('execute', { orderId: id, ...parsed.data }, {
    jobId: id, removeOnComplete: 1000, ...RETRIES,
  });
  return reply.code(201).send({
    orderId: id, status: 'PENDING', message: 'Order created and queued for processing',
  });
});

// ---- WebSockets -----------------------------------------------------------------------------

const followers = new Map(); // channel -> the sockets that follow one order
const everything = new Set(); // the sockets that follow all orders

const oneSubscriber = new Redis(REDIS);
oneSubscriber.on('message', (name, text) => {
  for (const socket of followers.get(name) ?? []) socket.send(text);
});
const allSubscriber = new Redis(REDIS);
allSubscriber.on('pmessage', (_pattern, _name, text) => {
  for (const socket of everything) socket.send(text);
});

function follow(name, socket) {
  if (!followers.has(name)) followers.set(name, new Set());
  followers.get(name).add(socket);
  socket.on('close', () => {
    const sockets = followers.get(name);
    sockets.delete(socket);
    if (sockets.size > 0) return;
    followers.delete(name);
    oneSubscriber.unsubscribe(name);
  });
}

app.register(async (scope) => {
  scope.get('/ws/orders/:orderId', { websocket: true }, async (socket, request) => {
    const { orderId } = request.params;
    follow(channel(orderId), socket);
    await oneSubscriber.subscribe(channel(orderId));
    for (const { at, ...log } of await store.logs(orderId)) {
      socket.send(JSON.stringify({ orderId, ...log, timestamp: at }));
    }
  });

  scope.get('/ws/firehose', { websocket: true }, async (socket) => {
    everything.add(socket);
    socket.on('close', () => everything.delete(socket));
    // Only when asked for: a pattern subscription costs Redis a copy of every message.
    if (everything.size === 1) await allSubscriber.psubscribe(channel('*'));
  });
});

await app.listen({ port: 0, host: '127.0.0.1' });
console.log(JSON.stringify({ port: app.server.address().port }));
