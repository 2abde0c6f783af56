import { describe, expect, it } from "vitest";
import type { Schema } from "../../api/client";
import { type Draft, draftOf, flawOf, linesOf, requestOf } from "./faults";

const HONEST: Schema<"FaultsView"> = {
  on: false,
  dropSend: 0,
  duplicate: 0,
  delayMs: 0,
  staleSlots: 0,
  error: null,
  methods: [],
  probability: 1,
  requests: null,
  hits: {},
};

const some = (parts: Partial<Draft>): Draft => ({ ...draftOf(HONEST), ...parts });

describe("the localnet's faults", () => {
  it("asks for nothing where nothing is typed", () => {
    expect(requestOf(draftOf(HONEST))).toEqual({
      dropSend: 0,
      duplicate: 0,
      delayMs: 0,
      staleSlots: 0,
      error: null,
      methods: [],
      probability: 1,
      requests: null,
      seed: null,
    });
    expect(linesOf(HONEST)).toEqual([]);
  });

  it("asks for what is on, unchanged, where nothing is typed over it", () => {
    const on: Schema<"FaultsView"> = {
      ...HONEST,
      on: true,
      dropSend: 0.125,
      delayMs: 800,
      error: { code: -32603, message: "node is behind" },
      methods: ["sendTransaction", "getSlot"],
      probability: 0.5,
      requests: 20,
    };
    const { on: _, hits: __, ...switches } = on;
    expect(requestOf(draftOf(on))).toEqual({ ...switches, seed: null });
    expect(linesOf(on).map((line) => line.name)).toEqual(["Drop sends", "Delay answers", "Answer with an error"]);
    expect(linesOf(on)[1]?.text).toBe("800 ms, 50 % of calls of sendTransaction, getSlot");
  });

  it("refuses what the desk would refuse", () => {
    const wrong: [keyof Draft, string][] = [
      ["dropSend", "101"],
      ["duplicate", "-1"],
      ["delayMs", "600001"],
      ["delayMs", "1.5"],
      ["staleSlots", "32"],
      ["requests", "0"],
      ["probability", "all"],
      ["methods", "drop table;"],
      ["error", "x".repeat(201)],
    ];
    for (const [name, text] of wrong) {
      expect(flawOf(name, text), `${name} ${text}`).not.toBeNull();
      expect(requestOf(some({ [name]: text })), `${name} ${text}`).toBeNull();
    }
  });
});
