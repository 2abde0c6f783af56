import { describe, expect, test } from "vitest";
import { WAIT_MAX_MS, WAIT_MIN_MS, waitMs } from "./backoff";
import { World } from "./fakes";
import { Live } from "./store";

function connected() {
  const world = new World();
  const live = new Live(world);
  live.start();
  world.greet();
  return { world, live, phase: () => live.link.get().phase };
}

describe("a silent peer", () => {
  test("a ping each second; the answers keep the link live", () => {
    const { world, phase } = connected();
    world.passAnswered(10_000);
    expect(phase()).toBe("live");
    expect(world.lines).toHaveLength(1);
    expect(world.line.of("ping").length).toBeGreaterThanOrEqual(9);
    expect(world.line.of("ping").length).toBeLessThanOrEqual(12);
  });

  test("is stale after 3 s, dropped after 5 s, and dialled again", () => {
    const { world, live, phase } = connected();
    world.passAnswered(2_000);
    const heardMs = live.link.get().heardMs;
    world.pass(2_500);
    expect(phase()).toBe("live");
    world.pass(1_000);
    expect(phase()).toBe("stale");
    expect(live.link.get().heardMs).toBe(heardMs);
    expect(world.lines[0]?.isClosed).toBe(false);
    world.pass(2_100);
    expect(phase()).toBe("lost");
    expect(world.lines[0]?.isClosed).toBe(true);
    world.pass(1_000);
    expect(world.lines).toHaveLength(2);
  });

  test("that speaks again in time is live again", () => {
    const { world, phase } = connected();
    world.pass(4_000);
    expect(phase()).toBe("stale");
    world.line.say({ ch: "heartbeat", t: world.iso() });
    expect(phase()).toBe("live");
    world.passAnswered(10_000);
    expect(world.lines).toHaveLength(1);
  });

  test("that never greets is dropped as well", () => {
    const world = new World();
    const live = new Live(world);
    live.start();
    expect(live.link.get().phase).toBe("connecting");
    world.pass(6_000);
    expect(world.lines[0]?.isClosed).toBe(true);
    expect(live.link.get().phase).toBe("lost");
  });
});

describe("an old socket", () => {
  test("is not heard any more, whatever it still says", () => {
    const { world, live } = connected();
    const old = world.line;
    world.pass(6_000);
    world.pass(1_000);
    world.greet("e1");
    old.say({ ch: "hello", epoch: "e0", t: world.iso(), channels: [] });
    old.say({ ch: "orders", epoch: "e1", seq: 0, snap: [{ orderId: "a", version: 1, status: "PENDING" }] });
    old.on.close(4401);
    world.pass(200);
    expect(live.link.get()).toMatchObject({ phase: "live", epoch: "e1" });
    expect(live.orders.get().size).toBe(0);
  });
});

describe("waiting", () => {
  test("between half a second and 15, more each time, spread by chance", () => {
    for (let tries = 0; tries < 60; tries += 1) {
      const [least, middle, most] = [0, 0.5, 0.999_999].map((chance) => waitMs(tries, chance));
      expect(least).toBe(WAIT_MIN_MS);
      expect(middle).toBeGreaterThan(WAIT_MIN_MS);
      expect(most).toBeGreaterThan(middle as number);
      expect(most).toBeLessThanOrEqual(WAIT_MAX_MS);
      expect(most).toBeGreaterThanOrEqual(waitMs(Math.max(0, tries - 1), 0.999_999));
    }
    expect(waitMs(1e9, 0.999_999)).toBe(WAIT_MAX_MS);
  });

  test("it is never given up, and never faster than it may", () => {
    const { world, live, phase } = connected();
    world.luck = 0.999;
    for (let hour = 0; hour < 12; hour += 1) {
      const before = world.lines.length;
      for (let minute = 0; minute < 60; minute += 1) {
        world.pass(60_000);
      }
      const dialled = world.lines.length - before;
      expect(dialled).toBeGreaterThan(150); // 15 s and 5 s of silence each
      expect(dialled).toBeLessThan(200);
    }
    expect(phase()).toBe("lost");
    expect(live.link.get().tries).toBeGreaterThan(1_000);
    expect(world.timers).toBeLessThanOrEqual(2);
  });

  test("is short again only after a link that lasted", () => {
    const { world, live } = connected();
    world.luck = 0.999;
    for (let n = 0; n < 6; n += 1) {
      world.line.on.close(1006);
      world.untilDialled();
      world.greet();
      world.passAnswered(1_000); // not long enough
    }
    expect(live.link.get().tries).toBe(6);
    world.passAnswered(6_000);
    expect(live.link.get().tries).toBe(0);
    world.line.on.close(1006);
    expect(world.untilDialled()).toBeLessThanOrEqual(1_050);
  });
});

describe("close codes", () => {
  test("4401: signed out, and nothing is tried until somebody starts it", () => {
    const { world, live, phase } = connected();
    world.line.on.close(4401);
    expect(phase()).toBe("signed-out");
    world.pass(600_000);
    world.wake();
    expect(world.lines).toHaveLength(1);
    live.start();
    expect(world.untilDialled()).toBeLessThanOrEqual(WAIT_MAX_MS);
  });

  test("4401 again and again waits longer and longer", () => {
    const { world, live } = connected();
    world.luck = 0.999;
    for (let n = 0; n < 100; n += 1) {
      world.line.on.close(4401);
      live.start();
      world.pass(1_000);
    }
    expect(world.lines.length).toBeLessThan(12);
  });

  test.each([4403, 4404])("%i: it is said why, and only the user tries again", (code) => {
    const { world, live, phase } = connected();
    world.line.on.close(code);
    expect(phase()).toBe("lost");
    expect(live.link.get().reason).toMatch(/desk/);
    world.pass(600_000);
    expect(world.lines).toHaveLength(1);
    live.retry();
    expect(world.lines).toHaveLength(2);
    expect(live.link.get().reason).toBeNull();
  });

  test("1012: the desk starts anew, and is there within a second", () => {
    const { world, phase } = connected();
    world.passAnswered(6_000);
    world.line.on.close(1012);
    expect(phase()).toBe("lost");
    world.pass(1_000);
    expect(world.lines).toHaveLength(2);
  });

  test.each([1008, 1013])("%i: the desk wants us later", (code) => {
    const { world } = connected();
    world.luck = 0.999;
    world.line.on.close(code);
    world.pass(3_000);
    expect(world.lines).toHaveLength(1);
    world.pass(WAIT_MAX_MS);
    expect(world.lines).toHaveLength(2);
  });
});

describe("waking", () => {
  test("asks at once; a peer that is still there keeps its link", () => {
    const { world, phase } = connected();
    world.passAnswered(3_000);
    world.sleep(3_600_000);
    const before = world.line.of("ping").length;
    world.wake();
    expect(world.line.of("ping")).toHaveLength(before + 1);
    expect(phase()).toBe("stale"); // an hour old is not live, whatever the socket says
    world.answer();
    expect(phase()).toBe("live");
    world.passAnswered(10_000);
    expect(world.lines).toHaveLength(1);
  });

  test("asks at once however lately it was asked, and nothing while there is no link", () => {
    const { world, live } = connected();
    world.passAnswered(2_100);
    const before = world.line.of("ping").length;
    world.wake();
    expect(world.line.of("ping")).toHaveLength(before + 1);
    world.line.on.close(1006);
    live.price("SOL").subscribe(() => undefined);
    expect(world.timers).toBe(1); // the next try
  });

  test("finds a dead socket without waiting for the browser", () => {
    const { world } = connected();
    world.sleep(3_600_000);
    world.wake();
    world.pass(6_600);
    expect(world.lines).toHaveLength(2);
  });

  test("does not wait out a long pause", () => {
    const { world } = connected();
    world.luck = 0.999;
    for (let n = 0; n < 8; n += 1) {
      world.line.on.close(1006);
      world.pass(WAIT_MAX_MS);
    }
    world.line.on.close(1006);
    world.pass(600);
    const lines = world.lines.length;
    world.wake(); // the network is back
    expect(world.lines).toHaveLength(lines + 1);
    for (let n = 0; n < 50; n += 1) world.wake();
    expect(world.lines).toHaveLength(lines + 1);
  });
});
