import { describe, expect, it } from "vitest";
import type { Schema } from "../../api/client";
import { type Tile, tilesOf } from "./tiles";

type Operations = Schema<"OperationsView">;

const WELL: Operations = {
  asOf: "2026-01-31T12:00:00.000Z",
  mode: "localnet",
  startedAt: "2026-01-31T11:00:00.000Z",
  queue: { open: 3, inFlight: 1, resting: 2, oldestMs: 7_200_000, oldestMovingMs: 400, byStatus: { PENDING: 2, SUBMITTED: 1 } },
  latency: [{ stage: "WHOLE", count: 12, p50Ms: 640, p95Ms: 1_480, maxMs: 2_000 }],
  attempts: { "1": 12 },
  resends: 0,
  unknown: 0,
  halted: 0,
  failures: {},
  problems: {},
  unexpected: 0,
  restarts: {},
  breakers: [
    { name: "binance", state: "live", ageMs: 40, messages: 9, unreadable: 0, rejected: {}, offsetMs: -12, reconnects: 0, problem: null },
  ],
  localnet: null,
  roles: ["api", "executor"],
  services: [
    { name: "disk", state: "Ready", detail: "5120 MB free" },
    { name: "clock", state: "Ready", detail: "drift 0 ms" },
  ],
  audit: { rows: 40, waiting: 0, dropped: 0, tampered: false },
  hub: { clients: 1, dropped: 0 },
};

const of = (id: string, parts: Partial<Operations>): Tile => {
  const found = tilesOf({ ...WELL, mode: "paper", ...parts }, new Map([["hub_clients", 2]])).find((tile) => tile.id === id);
  if (found === undefined) throw new Error(`no tile ${id}`);
  return found;
};

describe("health tiles", () => {
  it("says of every number what it is held against", () => {
    for (const tile of tilesOf(WELL, null)) expect([tile.value, tile.threshold].every(Boolean), tile.id).toBe(true);
  });

  it("is well where nothing is the matter", () => {
    const ill = tilesOf({ ...WELL, mode: "paper" }, null).filter((tile) => tile.level !== "good");
    expect(ill).toEqual([]);
  });

  it("asks for somebody where somebody is needed", () => {
    const audit = { rows: 1, waiting: 0, dropped: 0, tampered: true };
    const disk = [{ name: "disk", state: "Error", detail: "disk.full: 12 MB are free" }];
    const away = WELL.breakers.map((one) => ({ ...one, state: "away", problem: "refused" }));
    expect(of("audit", { audit })).toMatchObject({ level: "bad" });
    expect(of("audit", { audit }).note).toContain("quantdesk audit verify");
    expect(of("disk", { services: disk }).level).toBe("bad");
    expect(of("services", { services: disk })).toMatchObject({ level: "bad", value: "0 of 1" });
    expect(of("sources", { breakers: away }).level).toBe("bad");
    expect(of("unexpected", { unexpected: 1 }).level).toBe("bad");
    expect(of("unexpected", { restarts: { "price writer": 1 } }).level).toBe("warn");
    expect(of("slots", { mode: "localnet" }).level).toBe("bad");
  });

  it("does not take resting orders for stuck ones", () => {
    expect(of("oldest", {}).level).toBe("good");
    expect(of("oldest", { queue: { ...WELL.queue, oldestMovingMs: 31_000 } }).level).toBe("warn");
    const none = { ...WELL.queue, oldestMs: null, oldestMovingMs: null };
    expect(of("oldest", { queue: none }).value).toBe("none");
  });

  it("shows what is not known as unknown, never as good", () => {
    expect(of("latency", { latency: [] })).toMatchObject({ level: "unknown", value: "none" });
    expect(of("clock", { services: [] }).level).toBe("unknown");
    expect(tilesOf(WELL, null).find((tile) => tile.id === "clients")?.note).toContain("unknown");
    expect(of("clients", {}).value).toBe("3");
  });

  it("looks at the clock against the source that is furthest off", () => {
    const far = { ...WELL.breakers[0]!, name: "coinbase", offsetMs: -1_500 };
    expect(of("clock", { breakers: [...WELL.breakers, far] })).toMatchObject({ level: "warn" });
    expect(of("clock", { breakers: [...WELL.breakers, far] }).note).toContain("coinbase");
  });
});
