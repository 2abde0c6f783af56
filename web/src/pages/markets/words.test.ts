import { expect, test } from "vitest";
import { alertTitle, isOld, madeUp, reason, sourceState, validity } from "./words";

test("only what may be traded on is not greyed", () => {
  const all = ["CORRUPT", "TOO_VOLATILE", "DISAGREES", "TOO_UNCERTAIN", "STALE_FOR_MARGIN", "CLOSED", "QUARANTINED", "STALE"];
  expect(all.every(isOld)).toBe(true);
  expect(all.every((name) => validity(name).tone === "bad")).toBe(true);
  expect(["VALID", "STRAINED"].some(isOld)).toBe(false);
});

test("a word of a newer desk is shown as it was written, and is not good", () => {
  expect(isOld("SOMETHING_NEW")).toBe(true);
  expect(validity("SOMETHING_NEW")).toMatchObject({ tone: "warn", text: "something_new" });
  expect(sourceState("odd")).toMatchObject({ tone: "warn", text: "odd" });
  expect([reason("odd"), alertTitle("odd.kind")]).toEqual(["odd", "odd.kind"]);
});

test("prices that no market made are labeled so, in mixed company too", () => {
  expect(madeUp("simulated")).toBe("simulated");
  expect(madeUp("binance (USDT: simulated)")).toBe("simulated");
  expect(madeUp("recorded.binance")).toBe("recorded");
  expect(madeUp("cached: pyth")).toBe("cached");
  expect(madeUp("binance (USDT: assumed at par)")).toBe("assumed");
  expect([madeUp("pyth"), madeUp("binance (USDT: pyth)"), madeUp("binance, pyth")]).toEqual([null, null, null]);
});
