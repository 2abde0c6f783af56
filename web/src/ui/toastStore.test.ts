import { beforeEach, describe, expect, test } from "vitest";
import { PAST_MAX, STAY_MS, TOASTS_MAX, Toasts } from "./toastStore";

let nowMs: number;
let timers: Map<number, { at: number; run: () => void }>;
let toasts: Toasts;

function pass(ms: number): void {
  nowMs += ms;
  for (const [id, timer] of [...timers]) {
    if (timer.at > nowMs) continue;
    timers.delete(id);
    timer.run();
  }
}

const ids = () => toasts.get().map((toast) => toast.id);

beforeEach(() => {
  nowMs = 0;
  timers = new Map();
  let next = 0;
  toasts = new Toasts({
    set: (run, ms) => (timers.set(++next, { at: nowMs + ms, run }), next),
    clear: (timer) => void timers.delete(timer),
    now: () => nowMs,
  });
});

test("one per id, changed where it stands", () => {
  toasts.show("a", { kind: "busy", title: "sent" });
  toasts.show("b", { kind: "info", title: "other" });
  toasts.show("a", { kind: "good", title: "filled" });
  expect(ids()).toEqual(["a", "b"]);
  expect(toasts.get()[0]).toMatchObject({ kind: "good", title: "filled", turn: 3 });
});

test("the list is another object after each change and the same between", () => {
  toasts.show("a", { kind: "info", title: "x" });
  const before = toasts.get();
  expect(toasts.get()).toBe(before);
  toasts.show("a", { kind: "info", title: "y" });
  expect(toasts.get()).not.toBe(before);
});

describe("how long they stay", () => {
  test("good and info leave after a while", () => {
    toasts.show("a", { kind: "good", title: "x" });
    pass(STAY_MS - 1);
    expect(ids()).toEqual(["a"]);
    pass(1);
    expect(ids()).toEqual([]);
  });

  test("bad and busy stay until dismissed", () => {
    toasts.show("bad", { kind: "bad", title: "x" });
    toasts.show("busy", { kind: "busy", title: "x" });
    pass(100 * STAY_MS);
    expect(ids()).toEqual(["bad", "busy"]);
    toasts.dismiss("bad");
    expect(ids()).toEqual(["busy"]);
  });

  test("an update begins the time anew", () => {
    toasts.show("a", { kind: "info", title: "x" });
    pass(STAY_MS - 1);
    toasts.show("a", { kind: "info", title: "y" });
    pass(STAY_MS - 1);
    expect(ids()).toEqual(["a"]);
  });

  test("a good one that turns bad stays", () => {
    toasts.show("a", { kind: "good", title: "x" });
    toasts.show("a", { kind: "bad", title: "y" });
    pass(STAY_MS);
    expect(ids()).toEqual(["a"]);
  });

  test("nothing leaves while it is read, and the time begins anew after", () => {
    toasts.show("a", { kind: "good", title: "x" });
    toasts.hold(true);
    pass(10 * STAY_MS);
    toasts.show("b", { kind: "info", title: "while read" });
    pass(10 * STAY_MS);
    expect(ids()).toEqual(["a", "b"]);
    toasts.hold(false);
    pass(STAY_MS);
    expect(ids()).toEqual([]);
  });
});

test("past the bound the oldest goes, but not a bad one before the others", () => {
  toasts.show("bad", { kind: "bad", title: "x" });
  for (let n = 0; n < TOASTS_MAX; n++) toasts.show(`i${n}`, { kind: "info", title: "x" });
  expect(ids()).toEqual(["bad", "i1", "i2", "i3", "i4"]);
  expect(timers.size).toBe(TOASTS_MAX - 1);
});

test("only bad ones: even then the list is bounded", () => {
  for (let n = 0; n <= TOASTS_MAX; n++) toasts.show(`b${n}`, { kind: "bad", title: "x" });
  expect(ids()).toEqual(["b1", "b2", "b3", "b4", "b5"]);
});

test("what left is remembered, the latest first, one per id, and not for ever", () => {
  toasts.show("a", { kind: "good", title: "x" });
  nowMs = 5;
  toasts.show("b", { kind: "good", title: "y" });
  pass(STAY_MS * 2);
  toasts.show("a", { kind: "good", title: "again" });
  expect(toasts.past().map(({ id, title }) => `${id} ${title}`)).toEqual(["a again", "b y"]);
  for (let n = 0; n < PAST_MAX + 10; n++) toasts.show(`n${n}`, { kind: "info", title: "x" });
  expect(toasts.past()).toHaveLength(PAST_MAX);
});

test("who watches is told until they stop", () => {
  let told = 0;
  const stop = toasts.subscribe(() => told++);
  toasts.show("a", { kind: "bad", title: "x" });
  stop();
  toasts.dismiss("a");
  expect(told).toBe(1);
});
