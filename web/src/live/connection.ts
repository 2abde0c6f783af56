/**
 * The one socket of the page: opened, watched, dropped when silent, opened again for ever.
 *
 * A browser says nothing of a peer that is gone, so silence decides: a ping each second, 3 s without
 * any message is stale, 5 s ends the socket. What an ended socket still says is not heard.
 */
import { TRIES_AT_LEAST, waitMs } from "./backoff";
import { Cell } from "./cell";
import type { Environment, Line } from "./environment";
import { read, type Said } from "./messages";
import type { ServerClock } from "./serverClock";

export const TICK_MS = 500;
export const PING_MS = 1_000;
export const STALE_MS = 3_000;
export const SILENT_MS = 5_000;
/** A link that lived so long was no failure: the next wait is short again. */
const PROVEN_MS = 5_000;
/** A tick that comes so late says that the page slept; the peer gets its time to answer. */
const SLEPT_MS = 2_500;
const REDIAL_MS = 500;
const PINGS_MAX = 8;

const SIGNED_OUT = 4401;
const NO_RETURN: Readonly<Record<number, string>> = {
  4403: "The desk does not let this page follow it.",
  4404: "This desk has no live stream.",
};

export interface Link {
  phase: "connecting" | "live" | "stale" | "lost" | "signed-out";
  /** When something was heard last, by the desk's clock, Unix milliseconds. */
  heardMs: number | null;
  /** Tries in vain since the link was last good. */
  tries: number;
  epoch: string | null;
  /** Why it is not tried again; null as long as it is. */
  reason: string | null;
}

const NOWHERE: Link = { phase: "signed-out", heardMs: null, tries: 0, epoch: null, reason: null };

export interface Ear {
  said(said: Said): void;
  /** The socket is gone; nothing is followed any more. */
  ended(): void;
  /** Twice a second while connected. */
  tick(): void;
}

export class Connection {
  readonly link = new Cell<Link>(NOWHERE);
  #line: Line | null = null;
  #started = false;
  #greetedAt: number | null = null;
  #tries = 0;
  #generation = 0;
  #heardAt = 0;
  #graceAt = 0;
  #tickedAt = 0;
  #dialledAt = Number.NEGATIVE_INFINITY;
  #pingedAt = Number.NEGATIVE_INFINITY;
  #pingId = 0;
  readonly #pings = new Map<number, number>();
  #callOffTick: (() => void) | null = null;
  #callOffRetry: (() => void) | null = null;
  #stopWaking: (() => void) | null = null;

  constructor(
    private readonly env: Environment,
    private readonly clock: ServerClock,
    private readonly ear: Ear,
  ) {}

  /** Connect, and stay connected until `stop`; after the desk sent us away, with a wait. */
  start(): void {
    if (this.#started && (this.#line !== null || this.#callOffRetry !== null)) return;
    const again = this.#tries > 0;
    this.#started = true;
    this.#stopWaking ??= this.env.onWake(() => this.wake());
    this.#show({ phase: "connecting", reason: null });
    if (again) this.#retryLater();
    else this.#dial();
  }

  stop(): void {
    this.#started = false;
    this.#tries = 0;
    this.#stopWaking?.();
    this.#stopWaking = null;
    this.#hangUp();
    this.link.set(NOWHERE);
  }

  /** The page may have slept, or the network changed: look at once. */
  wake(): void {
    if (!this.#started) return;
    if (this.#line !== null) {
      this.#look(true);
    } else if (this.#callOffRetry !== null && this.#elapsed(this.#dialledAt) >= REDIAL_MS) {
      this.#dial();
    }
  }

  /** Try now, on somebody's wish, even where it was given up. */
  retry(): void {
    if (this.#started && this.#line === null && this.#elapsed(this.#dialledAt) >= REDIAL_MS) {
      this.#show({ reason: null });
      this.#dial();
    }
  }

  send(message: object): void {
    this.#line?.send(JSON.stringify(message));
  }

  #dial(): void {
    this.#hangUp();
    const generation = this.#generation;
    const now = this.env.elapsedMs();
    this.#heardAt = this.#graceAt = this.#tickedAt = this.#dialledAt = now;
    this.#pingedAt = Number.NEGATIVE_INFINITY;
    this.#line = this.env.dial({
      message: (data) => {
        if (generation === this.#generation) this.#hear(data);
      },
      close: (code) => {
        if (generation === this.#generation) this.#closed(code);
      },
    });
    this.#tickLater();
  }

  #hear(data: unknown): void {
    const said = read(data);
    const now = this.env.elapsedMs();
    this.#heardAt = now;
    if (said.kind === "hello") {
      this.#greetedAt = now;
      this.clock.hear(said.hello.t, null);
      this.#show({ phase: "live", heardMs: this.clock.now(), epoch: said.hello.epoch });
      this.ear.said(said);
      this.#ping(now);
      return;
    }
    if (said.kind === "answer" && said.answer.op === "ping") this.#ponged(said.answer.id, said.answer.t);
    else this.ear.said(said);
    if (this.link.get().phase === "stale") this.#showHeard();
  }

  #ponged(id: number | string | undefined, t: string | undefined): void {
    const askedAt = typeof id === "number" ? this.#pings.get(id) : undefined;
    if (askedAt === undefined) return;
    this.#pings.delete(id as number);
    this.clock.hear(t, askedAt);
    this.#showHeard();
  }

  #ping(now: number): void {
    if (this.#pings.size >= PINGS_MAX) this.#pings.clear();
    this.#pingId += 1;
    this.#pings.set(this.#pingId, now);
    this.#pingedAt = now;
    this.send({ op: "ping", id: this.#pingId });
  }

  #tickLater(): void {
    this.#callOffTick = this.env.after(TICK_MS, () => {
      this.#callOffTick = null;
      this.#look(false);
      if (this.#line !== null) this.#tickLater();
    });
  }

  #look(ping: boolean): void {
    const now = this.env.elapsedMs();
    if (now - this.#tickedAt > SLEPT_MS) {
      this.#graceAt = now;
      this.clock.doubt();
    }
    this.#tickedAt = now;
    if (now - Math.max(this.#heardAt, this.#graceAt) > SILENT_MS) {
      this.#lost(0);
      return;
    }
    if (this.#greetedAt === null) return;
    if (now - this.#greetedAt > PROVEN_MS && this.#tries > 0) this.#provenGood();
    if (ping || now - this.#pingedAt >= PING_MS) this.#ping(now);
    if (now - this.#heardAt > STALE_MS) this.#show({ phase: "stale" });
    this.ear.tick();
  }

  #provenGood(): void {
    this.#tries = 0;
    this.#show({ tries: 0 });
  }

  #closed(code: number): void {
    if (code === SIGNED_OUT) {
      this.#tries = Math.max(this.#tries + 1, TRIES_AT_LEAST[code] ?? 0);
      this.#hangUp();
      this.#show({ phase: "signed-out" });
    } else if (NO_RETURN[code] !== undefined) {
      this.#hangUp();
      this.#show({ phase: "lost", reason: NO_RETURN[code] });
    } else {
      this.#lost(TRIES_AT_LEAST[code] ?? 0);
    }
  }

  #lost(atLeast: number): void {
    this.#tries = Math.max(this.#tries, atLeast);
    this.#hangUp();
    this.#retryLater();
    this.#tries += 1;
    this.#show({ phase: "lost", tries: this.#tries });
  }

  #retryLater(): void {
    this.#callOffRetry?.();
    this.#callOffRetry = this.env.after(waitMs(this.#tries, this.env.chance()), () => this.#dial());
  }

  #hangUp(): void {
    this.#generation += 1;
    this.#callOffTick?.();
    this.#callOffRetry?.();
    this.#callOffTick = this.#callOffRetry = null;
    this.#pings.clear();
    const greeted = this.#greetedAt !== null;
    this.#greetedAt = null;
    this.#line?.close();
    this.#line = null;
    if (greeted) this.ear.ended();
  }

  #showHeard(): void {
    const heardMs = this.clock.now() - Math.round(this.#elapsed(this.#heardAt));
    this.#show({ phase: "live", heardMs });
  }

  #show(some: Partial<Link>): void {
    const before = this.link.get();
    const next = { ...before, ...some };
    const names = Object.keys(next) as (keyof Link)[];
    if (names.some((name) => next[name] !== before[name])) this.link.set(next);
  }

  #elapsed(sinceMs: number): number {
    return this.env.elapsedMs() - sinceMs;
  }
}
