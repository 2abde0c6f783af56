import { beforeEach, describe, expect, test } from "vitest";
import { Keyboard, SEQUENCE_MS, type Stroke } from "./keys";

const none = () => undefined;
let keyboard: Keyboard;

function press(key: string, some: Partial<Stroke> = {}): string | null {
  const stroke = { key, mod: false, alt: false, typing: false, modal: false, atMs: 0, ...some };
  return keyboard.press(stroke)?.does ?? null;
}

beforeEach(() => {
  keyboard = new Keyboard();
  keyboard.add({
    title: "Everywhere",
    shortcuts: [
      { keys: "Mod+k", does: "palette", run: none },
      { keys: "?", does: "help", run: none },
      { keys: "t", does: "single t", run: none },
      { keys: "g t", does: "trade", run: none },
      { keys: "g k", does: "account", run: none },
    ],
  });
});

test("one key acts at once", () => {
  expect(press("?")).toBe("help");
});

describe("g and then a page", () => {
  test("acts on the second key", () => {
    expect(press("g")).toBeNull();
    expect(press("t", { atMs: SEQUENCE_MS })).toBe("trade");
  });

  test("is forgotten after a while, and the second key stands alone", () => {
    press("g");
    expect(press("t", { atMs: SEQUENCE_MS + 1 })).toBe("single t");
  });

  test("is ended by any other key, which does nothing itself", () => {
    press("g");
    expect(press("?")).toBeNull();
    expect(press("t")).toBe("single t");
  });

  test("does not begin in a field", () => {
    press("g", { typing: true });
    expect(press("t")).toBe("single t");
  });
});

describe("nothing acts", () => {
  test("while typing", () => expect(press("?", { typing: true })).toBeNull());
  test("behind a dialog", () => expect(press("?", { modal: true })).toBeNull());
  test("behind a dialog, with Ctrl neither", () => expect(press("k", { modal: true, mod: true })).toBeNull());
  test("with Alt, which is the browser's", () => expect(press("?", { alt: true })).toBeNull());
  test("with Ctrl, for single keys", () => expect(press("t", { mod: true })).toBeNull());
});

test("Ctrl or Cmd acts while typing too, in either case", () => {
  expect(press("k", { mod: true, typing: true })).toBe("palette");
  expect(press("K", { mod: true })).toBe("palette");
});

test("switched off, single keys and sequences rest; Ctrl still acts", () => {
  keyboard.singleKeys = false;
  expect(press("?")).toBeNull();
  press("g");
  expect(press("t")).toBeNull();
  expect(press("k", { mod: true })).toBe("palette");
});

test("a page's group counts before the frame's, and leaves with the page", () => {
  const leave = keyboard.add({ title: "Trade", shortcuts: [{ keys: "?", does: "own", run: none }] });
  expect(press("?")).toBe("own");
  leave();
  expect(press("?")).toBe("help");
});

test("a group that was replaced is not taken away by its predecessor", () => {
  const leave = keyboard.add({ title: "Trade", shortcuts: [{ keys: "b", does: "old", run: none }] });
  keyboard.add({ title: "Trade", shortcuts: [{ keys: "b", does: "new", run: none }] });
  leave();
  expect(press("b")).toBe("new");
});
