import { describe, expect, test, vi } from "vitest";
import type { CandleView, EventView, PriceView } from "./messages";
import { CHANNELS, World } from "./fakes";
import { FLUSH_MS, Live } from "./store";

const price = (value: string) => ({ symbol: "SOL", value }) as PriceView;
const candle = (openAt: string, close: string) => ({ openAt, close }) as CandleView;
const event = (orderId: string, version: number, status = "ROUTING") =>
  ({ orderId, version, status, attempt: 1, timestamp: "" }) as EventView;

function connected(channels: readonly string[] = CHANNELS) {
  const world = new World();
  const live = new Live(world);
  live.start();
  world.greet("e1", channels);
  return { world, live };
}

/** A page that follows the price of SOL, which is 1 as of seq 10. */
function following() {
  const { world, live } = connected();
  const cell = live.price("SOL");
  cell.subscribe(() => undefined);
  world.pass(FLUSH_MS);
  const tell = (seq: number, held: object, epoch = "e1") =>
    world.line.say({ ch: "prices", key: "SOL", epoch, seq, t: world.iso(), ...held });
  tell(10, { snap: price("1") });
  world.pass(FLUSH_MS);
  return { world, live, cell, tell };
}

const resyncs = (world: World) => world.line.of("resync");

describe("the rule of seq and epoch", () => {
  test("a snapshot replaces, changes in step are applied", () => {
    const { world, cell, tell } = following();
    expect(cell.get()?.value).toBe("1");
    tell(11, { d: price("2") });
    tell(12, { d: price("3") });
    world.pass(FLUSH_MS);
    expect(cell.get()?.value).toBe("3");
  });

  test("what was told already is dropped", () => {
    const { world, cell, tell } = following();
    tell(11, { d: price("2") });
    tell(11, { d: price("9") });
    tell(10, { d: price("9") });
    world.pass(FLUSH_MS);
    expect(cell.get()?.value).toBe("2");
    expect(resyncs(world)).toEqual([]);
  });

  test("after a gap nothing counts before the snapshot, which is asked for once", () => {
    const { world, cell, tell } = following();
    tell(12, { d: price("9") });
    tell(13, { d: price("9") });
    world.pass(FLUSH_MS);
    expect(cell.get()?.value).toBe("1");
    expect(resyncs(world)).toEqual([{ op: "resync", ch: "prices", keys: ["SOL"], id: expect.any(Number) }]);
    tell(13, { snap: price("4") });
    tell(14, { d: price("5") });
    world.pass(FLUSH_MS);
    expect(cell.get()?.value).toBe("5");
    expect(resyncs(world)).toHaveLength(1);
  });

  test("changes before the first snapshot mean nothing, and are nothing lost", () => {
    const { world, live } = connected();
    const cell = live.price("SOL");
    cell.subscribe(() => undefined);
    world.pass(FLUSH_MS);
    for (const seq of [0, 1, 7]) {
      world.line.say({ ch: "prices", key: "SOL", epoch: "e1", seq, d: price("9") });
    }
    world.passAnswered(2_000);
    expect(cell.get()).toBeNull();
    expect(resyncs(world)).toEqual([]);
  });

  test("gap after gap asks no faster than once a second", () => {
    const { world, tell } = following();
    for (let round = 0; round < 20; round += 1) {
      tell(100 * round + 200, { snap: price("1") });
      tell(100 * round + 205, { d: price("2") });
      world.passAnswered(100);
    }
    expect(resyncs(world).length).toBeGreaterThanOrEqual(2);
    expect(resyncs(world).length).toBeLessThanOrEqual(3);
  });

  test("a snapshot that does not come is asked for again", () => {
    const { world, tell } = following();
    tell(12, { d: price("9") });
    world.passAnswered(12_000);
    expect(resyncs(world).length).toBeGreaterThanOrEqual(2);
  });

  test("a snapshot with a lower number counts: the desk gave the client another pace", () => {
    const { world, cell, tell } = following();
    tell(3, { snap: price("7") });
    tell(4, { d: price("8") });
    world.pass(FLUSH_MS);
    expect(cell.get()?.value).toBe("8");
  });

  test("another epoch drops everything and follows anew", () => {
    const { world, cell, tell } = following();
    const before = world.line.of("subscribe").length;
    tell(11, { d: price("9") }, "e2");
    world.pass(FLUSH_MS);
    expect(cell.get()).toBeNull();
    expect(world.line.of("subscribe").length).toBeGreaterThan(before);
    tell(1, { d: price("9") }, "e2"); // before its snapshot
    tell(5, { snap: price("6") }, "e2");
    world.pass(FLUSH_MS);
    expect(cell.get()?.value).toBe("6");
  });

  test("what is not followed is not taken", () => {
    const { world, live } = connected();
    world.line.say({ ch: "prices", key: "BTC", epoch: "e1", seq: 1, snap: price("1") });
    world.pass(FLUSH_MS);
    expect(live.price("BTC").get()).toBeNull();
  });

  test("what is no message is nothing but a sign of life", () => {
    const { world, cell } = following();
    for (const strange of ["", "{", "null", "[]", "5", '{"ch":"prices"}', '{"ch":"later","x":1}']) {
      world.line.on.message(strange);
    }
    world.line.on.message(new ArrayBuffer(3));
    world.pass(FLUSH_MS);
    expect(cell.get()?.value).toBe("1");
  });
});

describe("painting", () => {
  test("a hundred changes a second are painted ten times, the last one always", () => {
    const { world, cell, tell } = following();
    let painted = 0;
    cell.subscribe(() => (painted += 1));
    for (let seq = 11; seq <= 110; seq += 1) {
      tell(seq, { d: price(String(seq)) });
      world.pass(10);
    }
    world.pass(FLUSH_MS);
    expect(painted).toBeGreaterThanOrEqual(9);
    expect(painted).toBeLessThanOrEqual(12);
    expect(cell.get()?.value).toBe("110");
  });

  test("what comes along with the first after a pause is painted with it", () => {
    const { world, live } = connected();
    const symbols = ["SOL", "BTC", "ETH"];
    for (const symbol of symbols) live.price(symbol).subscribe(() => undefined);
    world.pass(1_000);
    for (const key of symbols) world.line.say({ ch: "prices", key, epoch: "e1", seq: 0, snap: price("1") });
    world.pass(16);
    expect(symbols.map((symbol) => live.price(symbol).get()?.value)).toEqual(["1", "1", "1"]);
  });

  test("candles: the history replaces, then only what changed is told, oldest first", () => {
    const { world, live } = connected();
    const told: [string, CandleView[]][] = [];
    const key = "binance:SOL:USDT:1m";
    const stop = live.candles(key, {
      replace: (rows) => told.push(["replace", rows]),
      update: (rows) => told.push(["update", rows]),
    });
    world.pass(FLUSH_MS);
    const say = (seq: number, held: object) =>
      world.line.say({ ch: "candles", key, epoch: "e1", seq, ...held });
    say(0, { snap: [candle("2026-01-02", "2"), candle("2026-01-01", "1")] });
    world.pass(FLUSH_MS);
    expect(told).toEqual([["replace", [candle("2026-01-01", "1"), candle("2026-01-02", "2")]]]);
    world.pass(FLUSH_MS);
    say(1, { d: [candle("2026-01-02", "3")] });
    say(2, { d: [candle("2026-01-03", "4"), candle("2026-01-02", "3.5")] });
    world.pass(FLUSH_MS);
    const changes = told.slice(1).flatMap(([kind, rows]) => (kind === "update" ? rows : []));
    expect(changes.at(-2)?.close).toBe("3.5");
    expect(changes.at(-1)?.close).toBe("4");
    // Whoever comes later is told all of it at once.
    const late: CandleView[][] = [];
    live.candles(key, { replace: (rows) => late.push(rows), update: () => undefined });
    expect(late).toEqual([[candle("2026-01-01", "1"), candle("2026-01-02", "3.5"), candle("2026-01-03", "4")]]);
    const heard = told.length;
    stop();
    say(3, { d: [candle("2026-01-03", "5")] });
    world.pass(FLUSH_MS);
    expect(told).toHaveLength(heard);
  });

  test("alerts are painted at once; the later of two with one id counts", () => {
    const { world, live } = connected();
    const say = (seq: number, held: object) =>
      world.line.say({ ch: "alerts", key: "desk", epoch: "e1", seq, ...held });
    say(0, { snap: [{ id: 1, endedAt: null }] });
    say(1, { d: [{ id: 1, endedAt: "now" }, { id: 2, endedAt: null }] });
    expect(live.alerts.get()).toEqual([
      { id: 1, endedAt: "now" },
      { id: 2, endedAt: null },
    ]);
  });

  test("sources: all of them are followed as one, each in its own step", () => {
    const { world, live } = connected();
    live.source.subscribe(() => undefined);
    world.pass(FLUSH_MS);
    expect(world.line.of("subscribe")).toContainEqual({ op: "subscribe", ch: "sources", hz: 1, id: expect.any(Number) });
    const say = (key: string, seq: number, held: object) =>
      world.line.say({ ch: "sources", key, epoch: "e1", seq, ...held });
    say("binance", 0, { snap: { name: "binance", state: "live" } });
    say("kraken", 4, { snap: { name: "kraken", state: "live" } });
    say("kraken", 6, { d: { name: "kraken", state: "away" } }); // 5 was lost
    say("binance", 1, { d: { name: "binance", state: "away" } });
    world.pass(FLUSH_MS);
    expect([...live.source.get()].map(([name, view]) => [name, view.state])).toEqual([
      ["binance", "away"],
      ["kraken", "live"],
    ]);
    expect(resyncs(world)).toEqual([{ op: "resync", ch: "sources", keys: ["kraken"], id: expect.any(Number) }]);
  });

  test("an error of one who watches keeps nobody else from hearing", () => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const { world, cell, tell } = following();
    cell.subscribe(() => {
      throw new Error("drawing failed");
    });
    const heard = vi.fn();
    cell.subscribe(heard);
    tell(11, { d: price("2") });
    world.pass(FLUSH_MS);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(reported).toHaveBeenCalledTimes(1);
    vi.unstubAllGlobals();
  });
});

describe("orders", () => {
  function trading() {
    const { world, live } = connected();
    const heard: string[] = [];
    live.onOrder((one) => heard.push(`${one.orderId}:${one.version}`));
    const say = (seq: number, held: object, epoch = "e1") =>
      world.line.say({ ch: "orders", epoch, seq, ...held });
    say(0, { snap: [event("a", 1), event("a", 2)] });
    return { world, live, heard, say };
  }

  test("every event is there at once, none is folded, and what was so far is no news", () => {
    const { world, live, heard, say } = trading();
    expect(live.orders.get().get("a")).toHaveLength(2);
    world.pass(FLUSH_MS);
    say(1, { d: event("a", 3) });
    expect(live.orders.get().get("a")).toHaveLength(3); // no time has passed
    say(2, { d: event("a", 4, "CONFIRMED") });
    say(3, { d: event("b", 1, "PENDING") });
    world.pass(16);
    expect(heard).toEqual(["a:3", "a:4", "b:1"]);
    expect(live.orders.get().get("a")?.map((one) => one.version)).toEqual([1, 2, 3, 4]);
  });

  test("the same event twice is told once", () => {
    const { world, live, heard, say } = trading();
    say(1, { d: event("a", 3) });
    say(2, { d: event("a", 3) });
    world.pass(16);
    expect(heard).toEqual(["a:3"]);
    expect(live.orders.get().get("a")).toHaveLength(3);
  });

  test("a lost message takes the snapshot, and nothing of it is told twice", () => {
    const { world, live, heard, say } = trading();
    say(3, { d: event("a", 5) });
    expect(resyncs(world)).toEqual([{ op: "resync", ch: "orders", id: expect.any(Number) }]);
    say(3, { snap: [1, 2, 3, 4, 5].map((version) => event("a", version)) });
    world.pass(16);
    expect(heard).toEqual(["a:3", "a:4", "a:5"]);
    expect(live.orders.get().get("a")).toHaveLength(5);
  });

  test("a version that was never told is asked for", () => {
    const { world, say } = trading();
    say(1, { d: event("a", 4) });
    expect(resyncs(world)).toHaveLength(1);
  });

  test("one that ended unheard stands open no more; one that ended before is kept", () => {
    const { world, live, say } = trading();
    say(1, { d: event("done", 1, "CONFIRMED") });
    say(1, { snap: [event("c", 1)] });
    world.pass(16);
    expect([...live.orders.get().keys()].sort()).toEqual(["c", "done"]);
  });

  test("ten thousand orders do not fill the page", () => {
    const { world, live, say } = trading();
    say(1, { d: event("open", 1) });
    for (let n = 0; n < 3_000; n += 1) say(n + 2, { d: event(`o${n}`, 1, "CONFIRMED") });
    world.pass(16);
    expect(live.orders.get().size).toBeLessThanOrEqual(1_000);
    expect(live.orders.get().has("open")).toBe(true);
    expect(live.orders.get().has("o2999")).toBe(true);
  });

  test("prices of an order are the digits that were sent", () => {
    const { world, live } = trading();
    world.line.on.message(
      '{"ch":"orders","epoch":"e1","seq":1,"d":{"orderId":"z","version":1,"status":"BUILDING","executionPrice":142.123456789012345678}}',
    );
    world.pass(16);
    expect(live.orders.get().get("z")?.[0]?.executionPrice).toBe("142.123456789012345678");
  });
});

describe("after the link was lost", () => {
  test("all is followed anew, documents are read anew, the same desk's values stay until replaced", () => {
    const { world, live, cell } = following();
    const back = vi.fn();
    live.onReconnect(back);
    world.line.on.close(1006);
    expect(live.link.get().phase).toBe("lost");
    world.pass(1_000);
    expect(world.lines).toHaveLength(2);
    world.greet("e1");
    expect(back).toHaveBeenCalledTimes(1);
    expect(world.line.of("subscribe").map((one) => one.ch).sort()).toEqual(["alerts", "orders", "prices"]);
    expect(cell.get()?.value).toBe("1");
    world.line.say({ ch: "prices", key: "SOL", epoch: "e1", seq: 11, d: price("9") }); // no snapshot yet
    world.line.say({ ch: "prices", key: "SOL", epoch: "e1", seq: 44, snap: price("5") });
    world.pass(FLUSH_MS);
    expect(cell.get()?.value).toBe("5");
  });

  test("numbers of the connection before mean nothing on the next", () => {
    const { world, live } = connected();
    live.source.subscribe(() => undefined);
    world.pass(FLUSH_MS);
    const say = (seq: number, held: object) =>
      world.line.say({ ch: "sources", key: "kraken", epoch: "e1", seq, ...held });
    say(4, { snap: { name: "kraken", state: "live" } });
    world.line.on.close(1006);
    world.untilDialled();
    world.greet("e1");
    say(5, { d: { name: "kraken", state: "away" } });
    world.pass(FLUSH_MS);
    expect(live.source.get().get("kraken")?.state).toBe("live");
    expect(resyncs(world)).toHaveLength(1);
  });

  test("another desk's values are void", () => {
    const { world, cell, tell } = following();
    world.line.on.close(1012);
    world.pass(1_000);
    world.greet("e2");
    world.pass(FLUSH_MS);
    expect(cell.get()).toBeNull();
    tell(0, { snap: price("5") }, "e2");
    world.pass(FLUSH_MS);
    expect(cell.get()?.value).toBe("5");
  });

  test("signing out forgets everything", () => {
    const { world, live, cell } = following();
    world.line.say({ ch: "orders", epoch: "e1", seq: 0, snap: [event("a", 1)] });
    live.stop();
    world.pass(FLUSH_MS);
    expect(live.orders.get().size).toBe(0);
    expect(cell.get()).toBeNull();
    expect(live.link.get().phase).toBe("signed-out");
    expect(world.line.isClosed).toBe(true);
    expect(world.timers).toBe(0);
    expect(world.wakers).toBe(0);
  });
});

test("the desk's clock: the shortest way there and back is believed", () => {
  const { world, live } = connected();
  world.aheadMs = 5_000;
  const ping = () => world.line.of("ping").at(-1);
  world.pass(1_000);
  const first = ping();
  world.pass(400); // 200 ms each way
  world.line.say({ ch: "answer", op: "ping", id: first?.id, t: new Date(world.wallMs() - 200 + 5_000).toISOString() });
  expect(live.now()).toBe(world.wallMs() + 5_000);
  world.pass(1_000);
  const second = ping();
  world.pass(900); // all of it on the way back: off by 450 ms, and not believed
  world.line.say({ ch: "answer", op: "ping", id: second?.id, t: new Date(world.wallMs() - 900 + 5_000).toISOString() });
  expect(live.now()).toBe(world.wallMs() + 5_000);
});
