/**
 * Health tiles: each has a value, the threshold it is held against, and says when it was read. Pure.
 *
 *   GET /api/operations (+ /metrics) ──tilesOf──▶ Tile[] ──Tiles.tsx──▶ the page
 *
 * Levels: bad asks for somebody now, warn for a look, good for nothing; unknown is never shown as good.
 */
import type { Schema } from "../../api/client";
import type { Metrics } from "./metrics";
import { count, took } from "./words";

export type Level = "good" | "warn" | "bad" | "unknown";

export interface Tile {
  id: string;
  label: string;
  value: string;
  /** What it is held against, in words with the number. */
  threshold: string;
  level: Level;
  note: string;
}

type Operations = Schema<"OperationsView">;

/** What this page holds numbers against; where the desk has a bound of its own, it is that. */
export const BOUNDS = {
  movingMs: 30_000,
  p95Ms: 5_000,
  offsetMs: 1_000,
  auditRoom: 10_000, // access/audit/told.py
  diskMb: 200, // ops/health.py
  jumpMs: 5_000, // ops/health.py
} as const;

/** Return the tiles, those about orders first. */
export function tilesOf(ops: Operations, metrics: Metrics | null): Tile[] {
  return [
    services(ops),
    open(ops),
    flight(ops),
    oldest(ops),
    latency(ops),
    attempts(ops),
    unknown(ops),
    unexpected(ops),
    sources(ops),
    clients(ops, metrics),
    audit(ops),
    disk(ops),
    clock(ops),
    ...slots(ops),
  ];
}

function tile(id: string, label: string, value: string, threshold: string, level: Level, note = ""): Tile {
  return { id, label, value, threshold, level, note };
}

function services({ services: all, roles }: Operations): Tile {
  const ill = all.filter((one) => one.state !== "Ready" && one.state !== "Processing");
  const level = ill.some((one) => one.state === "Error") ? "bad" : ill.length > 0 ? "warn" : "good";
  const note = ill.length > 0 ? ill.map((one) => `${one.name}: ${one.detail}`).join("; ") : `roles ${roles.join(", ")}`;
  return tile("services", "Services ready", `${all.length - ill.length} of ${all.length}`, "all of them", level, note);
}

function open({ queue }: Operations): Tile {
  const parts = Object.entries(queue.byStatus).map(([status, held]) => `${held} ${status}`);
  const note = [...parts, `${queue.resting} resting at a limit`].join(", ");
  return tile("open", "Open orders", count(queue.open), "100,000 unless orders.open_max is set", "good", note);
}

function flight({ queue }: Operations): Tile {
  return tile("flight", "In flight", count(queue.inFlight), "each ends by its last valid block", "good", "sent, fate not known yet");
}

function oldest({ queue }: Operations): Tile {
  const ms = queue.oldestMovingMs;
  const level = ms !== null && ms > BOUNDS.movingMs ? "warn" : "good";
  const note = queue.oldestMs === null ? "no order is open" : `with resting ones ${took(queue.oldestMs)}`;
  return tile("oldest", "Oldest moving order", ms === null ? "none" : took(ms), `under ${took(BOUNDS.movingMs)}`, level, note);
}

function latency({ latency: stages }: Operations): Tile {
  const whole = stages.find((one) => one.stage === "WHOLE");
  if (whole === undefined || whole.p95Ms === null) {
    return tile("latency", "To CONFIRMED", "none", `p95 under ${took(BOUNDS.p95Ms)}`, "unknown", "no order in the last minutes");
  }
  const level = whole.p95Ms > BOUNDS.p95Ms ? "warn" : "good";
  const value = `${took(whole.p50Ms)} · ${took(whole.p95Ms)}`;
  return tile("latency", "To CONFIRMED, p50 · p95", value, `p95 under ${took(BOUNDS.p95Ms)}`, level, `${count(whole.count)} orders`);
}

function attempts({ attempts: by, resends }: Operations): Tile {
  const all = sum(by);
  const again = all - (by["1"] ?? 0);
  const note = `${count(again)} were second attempts or later, same bytes sent again ${count(resends)} times`;
  return tile("attempts", "Signed since start", count(all), "one attempt an order", again > 0 ? "warn" : "good", note);
}

function unknown({ unknown: silent }: Operations): Tile {
  const note = "times the chain fell silent about a sent transaction; each is looked up until its fate is known";
  return tile("unknown", "Outcome unknown", count(silent), "0", silent > 0 ? "warn" : "good", note);
}

function unexpected({ unexpected: errors, halted, restarts, failures }: Operations): Tile {
  const [bugs, again] = [errors + halted, sum(restarts)];
  const note = `${count(again)} tasks begun again, ${count(halted)} executions ended by a bug, ${count(sum(failures))} orders failed`;
  return tile("unexpected", "Unexpected errors", count(bugs), "0", bugs > 0 ? "bad" : again > 0 ? "warn" : "good", note);
}

function sources({ breakers }: Operations): Tile {
  const ill = breakers.filter((one) => one.state === "away" || one.state === "silent");
  const live = breakers.length - ill.length;
  const level = breakers.length > 0 && live === 0 ? "bad" : ill.length > 0 ? "warn" : "good";
  const note = ill.length > 0 ? `${ill.map((one) => `${one.name} ${one.state}`).join(", ")}` : "no source is away or silent";
  return tile("sources", "Sources working", `${live} of ${breakers.length}`, "all of them", level, note);
}

function clients({ hub }: Operations, metrics: Metrics | null): Tile {
  const hubClients = metrics?.get("hub_clients");
  const all = hub.clients + (hubClients ?? 0);
  const note = `${hubClients === undefined ? "of /ws unknown" : `${hubClients} on /ws`}, ${hub.clients} on /ws/orders; ${hub.dropped} let go because they could not keep up`;
  return tile("clients", "Hub clients", count(all), "0 let go", hub.dropped > 0 ? "warn" : "good", note);
}

function audit({ audit: kept }: Operations): Tile {
  const level = kept.tampered ? "bad" : kept.dropped > 0 ? "bad" : kept.waiting > BOUNDS.auditRoom / 2 ? "warn" : "good";
  const said = `${count(kept.rows)} rows chained since start, ${count(kept.dropped)} found no room`;
  const note = kept.tampered ? "rows were changed: run `quantdesk audit verify`" : said;
  return tile("audit", "Audit rows waiting", count(kept.waiting), `room for ${count(BOUNDS.auditRoom)}`, level, note);
}

function disk({ services: all }: Operations): Tile {
  return probed("disk", "Disk", all, `at least ${BOUNDS.diskMb} MB free`);
}

function clock({ services: all, breakers }: Operations): Tile {
  const told = probed("clock", "Clock", all, `jumps under ${took(BOUNDS.jumpMs)}`);
  const offsets = breakers.flatMap((one) => (one.offsetMs === null ? [] : [one]));
  const worst = offsets.reduce<(typeof offsets)[number] | null>(
    (most, one) => (most === null || Math.abs(one.offsetMs ?? 0) > Math.abs(most.offsetMs ?? 0) ? one : most),
    null,
  );
  if (worst === null) return told;
  const off = Math.abs(worst.offsetMs ?? 0) > BOUNDS.offsetMs;
  const note = `${worst.offsetMs} ms against ${worst.name}, the most of all sources`;
  return { ...told, note, level: told.level === "good" && off ? "warn" : told.level };
}

function probed(name: string, label: string, all: Operations["services"], threshold: string): Tile {
  const found = all.find((one) => one.name === name);
  if (found === undefined) return tile(name, label, "unknown", threshold, "unknown", "this desk does not say");
  return tile(name, label, found.detail, threshold, found.state === "Error" ? "bad" : "good");
}

function slots({ localnet, mode }: Operations): Tile[] {
  if (mode !== "localnet") return [];
  if (localnet === null) return [tile("slots", "Localnet", "no answer", "makes slots", "bad")];
  const level = localnet.trouble !== null || !localnet.ticking ? "bad" : localnet.faults.on ? "warn" : "good";
  const note = localnet.trouble ?? (localnet.faults.on ? "faults are switched on" : `a slot each ${localnet.slotMs} ms`);
  const value = localnet.ticking ? `slot ${count(localnet.slot)}` : `stopped at ${count(localnet.slot)}`;
  return [tile("slots", "Localnet", value, "makes slots", level, note)];
}

function sum(by: Record<string, number>): number {
  return Object.values(by).reduce((all, one) => all + one, 0);
}
