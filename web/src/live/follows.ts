/**
 * What the page wants to follow, and what the desk was told of it: the difference is said, never
 * more than the desk bears to hear. A hidden page follows only orders and alerts.
 *
 * "" as a key is the whole channel.
 */
import { CHANNELS, TABLE } from "./channels";
import type { Environment } from "./environment";
import type { Answer, ChannelName, Refusal } from "./messages";
import type { Sequences } from "./sequence";

export const ALL = "";
/** Between the last watcher and the end of following: pages change without a break. */
export const LINGER_MS = 1_000;
/** How long a key that the desk does not know yet is left alone. */
export const PARKED_MS = 5_000;
const PUMP_MS = 20;
const RESYNC_MS = 1_000;
const SNAPSHOT_MS = 5_000;
const KEYS_MAX = 500; // of one message, as the desk has it
/** The desk allows 20 a second and 200 at once, pings among them. */
const PER_S = 10;
const BURST = 50;
const ASKS_MAX = 500;

interface Want {
  count: number;
  /** When the last who wanted it left. */
  leftAt: number;
}

interface Ask {
  op: "subscribe" | "resync";
  ch: ChannelName;
  keys: string[];
}

/** Return what a key of a channel is called. */
export function nameOf(ch: ChannelName, key: string): string {
  return `${ch}/${key}`;
}

export interface FollowEvents {
  send(message: object): void;
  /** Nobody wants a key any more, or the desk does not have it: what is known of it is void. */
  gone(ch: ChannelName, key: string): void;
}

export class Follows {
  readonly #wanted = new Map<ChannelName, Map<string, Want>>();
  readonly #told = new Map<ChannelName, Set<string>>();
  readonly #parked = new Map<string, number>();
  readonly #alone = new Set<string>();
  readonly #awaited = new Map<string, { ch: ChannelName; key: string; at: number }>();
  readonly #resyncs = new Map<string, { ch: ChannelName; key: string }>();
  readonly #resyncedAt = new Map<string, number>();
  readonly #asks = new Map<number, Ask>();
  #offered: ReadonlySet<string> | null = null;
  #id = 0;
  #tokens = BURST;
  #tokensAt = 0;
  #callOffPump: (() => void) | null = null;

  constructor(
    private readonly env: Environment,
    private readonly sequences: Sequences,
    private readonly on: FollowEvents,
  ) {}

  /** Somebody wants a key. */
  want(ch: ChannelName, key: string): void {
    const keys = this.#wanted.get(ch) ?? new Map<string, Want>();
    this.#wanted.set(ch, keys);
    const want = keys.get(key);
    if (want) want.count += 1;
    else keys.set(key, { count: 1, leftAt: 0 });
    this.#pumpLater(PUMP_MS);
  }

  /** Somebody wants it no more. */
  leave(ch: ChannelName, key: string): void {
    const want = this.#wanted.get(ch)?.get(key);
    if (!want || want.count === 0) return;
    want.count -= 1;
    want.leftAt = this.env.elapsedMs();
    if (want.count === 0) this.#pumpLater(LINGER_MS);
  }

  /** Connected: follow all that is wanted of what the desk offers. */
  begin(offered: readonly string[]): void {
    this.end();
    this.#offered = new Set(offered);
    this.#tokens = BURST;
    this.#tokensAt = this.env.elapsedMs();
    this.pump();
  }

  /** Not connected: nothing is followed. */
  end(): void {
    this.#offered = null;
    for (const held of [this.#told, this.#parked, this.#alone, this.#awaited]) held.clear();
    for (const held of [this.#resyncs, this.#resyncedAt, this.#asks]) held.clear();
  }

  isFollowed(ch: ChannelName, key: string): boolean {
    const keys = this.#told.get(ch);
    return keys !== undefined && (keys.has(key) || keys.has(ALL));
  }

  /** The snapshot of a key came. */
  came(ch: ChannelName, key: string): void {
    this.#awaited.delete(nameOf(ch, key));
    this.#resyncs.delete(nameOf(ch, key));
  }

  /** Something of a key was lost: ask for its state. */
  lost(ch: ChannelName, key: string): void {
    this.#await(ch, key);
    this.#resyncs.set(nameOf(ch, key), { ch, key });
    this.pump();
  }

  answered(answer: Answer): void {
    if (typeof answer.id === "number") this.#asks.delete(answer.id);
  }

  /** The desk refused something: what can be said later is said later. */
  refused(error: Refusal): void {
    const ask = typeof error.id === "number" ? this.#asks.get(error.id) : undefined;
    if (ask === undefined) return;
    this.#asks.delete(error.id as number);
    for (const key of ask.keys) this.#forget(ask.ch, key);
    if (error.code === "channel.unknown" || error.code === "channel.forbidden") {
      this.#offered = new Set([...(this.#offered ?? [])].filter((name) => name !== ask.ch));
      for (const key of ask.keys) this.on.gone(ask.ch, key);
    } else if (error.code === "subscription.unknown") {
      this.#pumpLater(PUMP_MS); // it is not followed after all: begin anew
    } else if (ask.keys.length > 1) {
      for (const key of ask.keys) this.#alone.add(nameOf(ask.ch, key));
      this.#pumpLater(PUMP_MS);
    } else {
      for (const key of ask.keys) this.#park(ask.ch, key, error.code);
    }
  }

  /** Say what is to be said now; also called twice a second while connected. */
  pump(): void {
    this.#sweep();
    if (this.#offered === null) return;
    for (const ch of CHANNELS) {
      if (!this.#offered.has(ch)) continue;
      if (!this.#leaveUnwanted(ch) || !this.#followWanted(ch)) return this.#pumpLater(1_000 / PER_S);
    }
    this.#askAgain();
  }

  /** Forget all wishes and all that was told. */
  clear(): void {
    this.end();
    this.#callOffPump?.();
    this.#callOffPump = null;
  }

  #wants(ch: ChannelName): string[] {
    if (this.env.hidden() && !TABLE[ch].hidden) return [];
    return [...(this.#wanted.get(ch)?.keys() ?? [])];
  }

  /** Forget what nobody has wanted for a moment. */
  #sweep(): void {
    const now = this.env.elapsedMs();
    for (const [ch, keys] of this.#wanted) {
      for (const [key, want] of keys) {
        if (want.count > 0 || now - want.leftAt < LINGER_MS) continue;
        keys.delete(key);
        this.on.gone(ch, key);
      }
    }
  }

  #leaveUnwanted(ch: ChannelName): boolean {
    const told = this.#told.get(ch);
    if (!told || told.size === 0) return true;
    const wanted = new Set(this.#wants(ch));
    const keys = [...told].filter((key) => !wanted.has(key)).slice(0, KEYS_MAX);
    if (keys.length === 0) return true;
    if (!this.#mayTalk()) return false;
    for (const key of keys) this.#forget(ch, key);
    // Only a wish for a whole channel is without keys, and is then the only one of the channel.
    this.on.send({ op: "unsubscribe", ch, ...(keys.includes(ALL) ? {} : { keys }) });
    return true;
  }

  #followWanted(ch: ChannelName): boolean {
    const now = this.env.elapsedMs();
    const told = this.#told.get(ch);
    const fresh = this.#wants(ch).filter((key) => {
      const parked = (this.#parked.get(nameOf(ch, key)) ?? 0) > now;
      return !parked && !told?.has(key);
    });
    const alone = (key: string) => TABLE[ch].alone || key === ALL || this.#alone.has(nameOf(ch, key));
    const together = fresh.filter((key) => !alone(key));
    const messages = fresh.filter(alone).map((key) => [key]);
    for (let at = 0; at < together.length; at += KEYS_MAX) {
      messages.push(together.slice(at, at + KEYS_MAX));
    }
    return messages.every((keys) => this.#ask({ op: "subscribe", ch, keys }));
  }

  #askAgain(): void {
    const now = this.env.elapsedMs();
    for (const [name, { ch, key, at }] of this.#awaited) {
      if (now - at >= SNAPSHOT_MS) this.#resyncs.set(name, { ch, key });
    }
    for (const [name, { ch, key }] of this.#resyncs) {
      if (now - (this.#resyncedAt.get(name) ?? Number.NEGATIVE_INFINITY) < RESYNC_MS) continue;
      if (!this.isFollowed(ch, key)) {
        this.#resyncs.delete(name);
        continue;
      }
      if (!this.#ask({ op: "resync", ch, keys: [key] })) return this.#pumpLater(1_000 / PER_S);
      this.#resyncs.delete(name);
      this.#resyncedAt.set(name, now);
    }
  }

  #ask(ask: Ask): boolean {
    if (!this.#mayTalk()) return false;
    this.#id += 1;
    this.#asks.set(this.#id, ask);
    if (this.#asks.size > ASKS_MAX) this.#asks.delete(this.#asks.keys().next().value as number);
    const whole = ask.keys.includes(ALL);
    for (const key of ask.keys) {
      if (ask.op === "subscribe") this.#follow(ask.ch, key);
      if (!whole || ask.ch === "orders") this.#await(ask.ch, key);
    }
    const hz = ask.op === "subscribe" ? TABLE[ask.ch].hz : undefined;
    this.on.send({
      op: ask.op,
      ch: ask.ch,
      ...(whole ? {} : { keys: ask.keys }),
      ...(hz === undefined ? {} : { hz }),
      id: this.#id,
    });
    return true;
  }

  #follow(ch: ChannelName, key: string): void {
    const keys = this.#told.get(ch) ?? new Set<string>();
    this.#told.set(ch, keys);
    keys.add(key);
  }

  #await(ch: ChannelName, key: string): void {
    const name = nameOf(ch, key);
    this.sequences.expect(name);
    this.#awaited.set(name, { ch, key, at: this.env.elapsedMs() });
  }

  #forget(ch: ChannelName, key: string): void {
    this.#told.get(ch)?.delete(key);
    const prefix = nameOf(ch, key);
    for (const held of [this.#awaited, this.#resyncs, this.#resyncedAt]) {
      for (const name of held.keys()) {
        if (name === prefix || (key === ALL && name.startsWith(prefix))) held.delete(name);
      }
    }
    this.sequences.forget(prefix, key === ALL);
  }

  #park(ch: ChannelName, key: string, code: string): void {
    this.#parked.set(nameOf(ch, key), this.env.elapsedMs() + PARKED_MS);
    if (code === "key.unknown") this.on.gone(ch, key);
  }

  #mayTalk(): boolean {
    const now = this.env.elapsedMs();
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#tokensAt) / 1_000) * PER_S);
    this.#tokensAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #pumpLater(ms: number): void {
    if (this.#offered === null) return; // beginning anew looks at everything
    // One that is due sooner serves as well: what is not due yet comes with the next tick.
    if (this.#callOffPump !== null && ms >= LINGER_MS) return;
    this.#callOffPump?.();
    this.#callOffPump = this.env.after(ms, () => {
      this.#callOffPump = null;
      this.pump();
    });
  }
}
