import { describe, expect, test } from "vitest";
import { CHANNELS, World } from "./fakes";
import { LINGER_MS, PARKED_MS } from "./follows";
import { Live } from "./store";

function connected(channels: readonly string[] = CHANNELS) {
  const world = new World();
  const live = new Live(world);
  live.start();
  world.greet("e1", channels);
  return { world, live };
}

const nothing = () => undefined;
const said = (world: World, op: string, ch: string) =>
  world.line.of(op).filter((message) => message.ch === ch);
const refuse = (world: World, id: unknown, code: string, retryable = false) =>
  world.line.say({ ch: "error", op: "subscribe", id, code, detail: "no", retryable });

describe("following", () => {
  test("begins with the first who watches and ends with the last", () => {
    const { world, live } = connected();
    const cell = live.price("SOL");
    world.pass(200);
    expect(said(world, "subscribe", "prices")).toEqual([]);
    const one = cell.subscribe(nothing);
    const two = cell.subscribe(nothing);
    world.pass(200);
    expect(said(world, "subscribe", "prices").map((told) => told.keys)).toEqual([["SOL"]]);
    one();
    world.passAnswered(3 * LINGER_MS);
    expect(said(world, "unsubscribe", "prices")).toEqual([]);
    two();
    two();
    world.passAnswered(3 * LINGER_MS);
    expect(said(world, "unsubscribe", "prices")).toEqual([{ op: "unsubscribe", ch: "prices", keys: ["SOL"] }]);
  });

  test("what is wanted within one moment is one message", () => {
    const { world, live } = connected();
    for (const symbol of ["SOL", "BTC", "ETH"]) live.price(symbol).subscribe(nothing);
    world.pass(200);
    expect(said(world, "subscribe", "prices")).toEqual([
      { op: "subscribe", ch: "prices", keys: ["SOL", "BTC", "ETH"], hz: 10, id: expect.any(Number) },
    ]);
  });

  test("a page that changes to the same again says nothing", () => {
    const { world, live } = connected();
    let stop = live.price("SOL").subscribe(nothing);
    world.pass(200);
    const talk = () => world.line.sent.filter((told) => String(told.op).endsWith("subscribe"));
    const before = talk().length;
    for (let n = 0; n < 20; n += 1) {
      stop();
      world.passAnswered(LINGER_MS - 250); // the page that comes next takes a moment
      stop = live.price("SOL").subscribe(nothing);
    }
    world.passAnswered(3 * LINGER_MS);
    expect(talk()).toHaveLength(before);
  });

  test("a value is void once nobody follows it: it would look current later", () => {
    const { world, live } = connected();
    const stop = live.price("SOL").subscribe(nothing);
    world.pass(200);
    world.line.say({ ch: "prices", key: "SOL", epoch: "e1", seq: 0, snap: { value: "1" } });
    world.pass(200);
    expect(live.price("SOL").get()).not.toBeNull();
    stop();
    world.passAnswered(3 * LINGER_MS);
    expect(live.price("SOL").get()).toBeNull();
  });

  test("only what the desk offers is asked for", () => {
    const { world, live } = connected(["prices", "orders"]);
    live.system.subscribe(nothing);
    world.passAnswered(2_000);
    expect(world.line.of("subscribe").map((told) => told.ch)).toEqual(["orders"]);
  });

  test("hundreds of changes at once stay below what the desk bears: 20 a second", () => {
    const { world, live } = connected();
    const stops = Array.from({ length: 400 }, (_, n) =>
      live.candles(`s:${n}:USD:1m`, { replace: nothing, update: nothing }),
    );
    const counts: number[] = [];
    for (let second = 0; second < 45; second += 1) {
      const before = world.line.sent.length;
      world.passAnswered(1_000);
      counts.push(world.line.sent.length - before);
    }
    expect(counts[0]).toBeLessThanOrEqual(70);
    for (const count of counts.slice(1)) expect(count).toBeLessThanOrEqual(14);
    expect(said(world, "subscribe", "candles")).toHaveLength(400);
    for (const stop of stops) stop();
  });
});

describe("a hidden page", () => {
  test("follows orders and alerts only, and all again when it is seen", () => {
    const { world, live } = connected();
    live.price("SOL").subscribe(nothing);
    live.source.subscribe(nothing);
    live.candles("a:SOL:USD:1m", { replace: nothing, update: nothing });
    world.pass(200);
    world.isHidden = true;
    world.wake();
    const left = world.line.of("unsubscribe");
    expect(left.map((told) => told.ch).sort()).toEqual(["candles", "prices", "sources"]);
    expect(left.find((told) => told.ch === "sources")).toEqual({ op: "unsubscribe", ch: "sources" });
    world.line.say({ ch: "prices", key: "SOL", epoch: "e1", seq: 7, snap: { value: "9" } });
    world.pass(200);
    expect(live.price("SOL").get()).toBeNull();
    world.isHidden = false;
    world.wake();
    expect(said(world, "subscribe", "prices")).toHaveLength(2);
    expect(said(world, "subscribe", "sources")).toHaveLength(2);
    expect(said(world, "subscribe", "orders")).toHaveLength(1);
  });

  test("that is connected anew asks for orders and alerts only", () => {
    const { world, live } = connected();
    live.price("SOL").subscribe(nothing);
    world.isHidden = true;
    world.line.on.close(1006);
    world.pass(1_000);
    world.greet();
    world.pass(200);
    expect(world.line.of("subscribe").map((told) => told.ch).sort()).toEqual(["alerts", "orders"]);
  });
});

describe("refusals", () => {
  test("one unknown key among many: each is asked for by itself", () => {
    const { world, live } = connected();
    live.price("SOL").subscribe(nothing);
    live.price("NONE").subscribe(nothing);
    world.pass(200);
    refuse(world, said(world, "subscribe", "prices")[0]?.id, "key.unknown");
    world.pass(200);
    expect(said(world, "subscribe", "prices").slice(1).map((told) => told.keys)).toEqual([["SOL"], ["NONE"]]);
  });

  test("a market that is not there yet is asked for again, every few seconds", () => {
    const { world, live } = connected();
    const rows: unknown[] = [];
    const key = "binance:SOL:USDT:1m";
    live.candles(key, { replace: (told) => rows.push(told), update: nothing });
    world.pass(200);
    refuse(world, said(world, "subscribe", "candles")[0]?.id, "key.unknown");
    world.passAnswered(PARKED_MS - 1_000);
    expect(said(world, "subscribe", "candles")).toHaveLength(1);
    world.passAnswered(2_000);
    expect(said(world, "subscribe", "candles")).toHaveLength(2);
    // Now it is there, and whoever waited hears of it.
    world.line.say({ ch: "candles", key, epoch: "e1", seq: 0, snap: [{ openAt: "1" }] });
    world.pass(200);
    expect(rows.at(-1)).toEqual([{ openAt: "1" }]);
  });

  test("a channel for other roles is not asked for again on this connection", () => {
    const { world, live } = connected();
    live.system.subscribe(nothing);
    world.pass(200);
    refuse(world, said(world, "subscribe", "system")[0]?.id, "channel.forbidden");
    world.passAnswered(30_000);
    expect(said(world, "subscribe", "system")).toHaveLength(1);
  });

  test("orders that cannot be read now are asked for again", () => {
    const { world } = connected();
    refuse(world, said(world, "subscribe", "orders")[0]?.id, "database.unavailable", true);
    world.passAnswered(PARKED_MS + 1_000);
    expect(said(world, "subscribe", "orders")).toHaveLength(2);
  });

  test("a resync of what the desk does not know as followed begins anew", () => {
    const { world, live } = connected();
    live.price("SOL").subscribe(nothing);
    world.pass(200);
    const tell = (seq: number, held: object) =>
      world.line.say({ ch: "prices", key: "SOL", epoch: "e1", seq, ...held });
    tell(1, { snap: { value: "1" } });
    tell(5, { d: { value: "2" } });
    refuse(world, said(world, "resync", "prices")[0]?.id, "subscription.unknown");
    world.pass(200);
    expect(said(world, "subscribe", "prices")).toHaveLength(2);
  });

  test("an error that names nothing we asked changes nothing", () => {
    const { world } = connected();
    const before = world.line.sent.length;
    refuse(world, 999, "key.unknown");
    refuse(world, "x", "message.malformed");
    world.pass(200);
    expect(world.line.sent).toHaveLength(before);
  });
});

test("a page that is open for long holds no more than at first", () => {
  const { world, live } = connected();
  for (let n = 0; n < 3_000; n += 1) {
    live.price(`A${n}`).subscribe(nothing)();
    if (n % 50 === 0) world.passAnswered(2_000);
  }
  world.passAnswered(300_000);
  expect(world.timers).toBeLessThanOrEqual(4);
  const followed = new Set<unknown>();
  for (const told of world.line.sent) {
    for (const key of (told.keys as string[] | undefined) ?? []) {
      if (told.op === "subscribe") followed.add(key);
      if (told.op === "unsubscribe") followed.delete(key);
    }
  }
  followed.delete("desk");
  expect(followed.size).toBe(0);
});
