import { expect, test } from "vitest";
import { type Facts, standing } from "./standing";

const halt = (scope: string, reason: string) => ({ scope, reason, at: "2026-01-31T12:00:00.000Z", by: null });
const trading = { trading: true, accountId: "a", desk: null, account: null, deskPhrase: "", accountPhrase: "" };
const FINE: Facts = { trading, phase: "live", silentMs: 300, tries: 0 };

test("nothing is the matter", () => {
  expect(standing(FINE)).toBeNull();
  expect(standing({ ...FINE, trading: null, phase: "connecting", silentMs: null })).toBeNull();
});

test("a halt counts before a lost link, the desk's before the account's", () => {
  const desk = halt("all", "drill");
  const account = halt("new", "loss");
  const told = standing({ ...FINE, phase: "lost", trading: { ...trading, trading: false, desk, account } });
  expect(told).toMatchObject({ id: "halted", kind: "bad", text: "drill" });
  expect(told?.title).toBe("Trading is halted on the whole desk");
  expect(standing({ ...FINE, trading: { ...trading, account } })).toMatchObject({
    id: "halted",
    title: "New orders are paused for this account",
    text: "loss",
  });
});

test("lost tells how long nothing was heard, and which attempt is made", () => {
  const told = standing({ ...FINE, phase: "lost", silentMs: 7_900, tries: 2 });
  expect(told).toMatchObject({ id: "disconnected", kind: "bad" });
  expect(told?.text).toBe("Nothing heard for 7 s; what is shown is old. Connecting again. Attempt 3.");
});

test("stale is a warning, without a time where none is known", () => {
  expect(standing({ ...FINE, phase: "stale", silentMs: null })).toMatchObject({ id: "stale", text: "Nothing heard." });
});
