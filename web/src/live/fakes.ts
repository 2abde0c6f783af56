/** A world of its own for tests of the live link: a clock that stands still, sockets that obey. */
import type { Environment, LineEvents } from "./environment";

interface Timer {
  at: number;
  order: number;
  run: () => void;
}

/** A socket as the desk's side of a test sees it. */
export class FakeLine {
  readonly sent: Record<string, unknown>[] = [];
  isClosed = false;

  constructor(readonly on: LineEvents) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  /** Closed by the page; a real one may still deliver what was on the way, and so may a test. */
  close(): void {
    this.isClosed = true;
  }

  say(message: object): void {
    this.on.message(JSON.stringify(message));
  }

  /** What was sent of one kind. */
  of(op: string): Record<string, unknown>[] {
    return this.sent.filter((message) => message.op === op);
  }
}

export class World implements Environment {
  readonly lines: FakeLine[] = [];
  isHidden = false;
  /** What chance says, always. */
  luck = 0.5;
  /** By how much the desk's clock is ahead of this machine's. */
  aheadMs = 0;
  #now = 1_000;
  #order = 0;
  #timers: Timer[] = [];
  readonly #wakes = new Set<() => void>();

  elapsedMs = (): number => this.#now;
  wallMs = (): number => WALL_MS + this.#now;
  chance = (): number => this.luck;
  hidden = (): boolean => this.isHidden;

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  dial(on: LineEvents): FakeLine {
    const line = new FakeLine(on);
    this.lines.push(line);
    return line;
  }

  onWake(run: () => void): () => void {
    this.#wakes.add(run);
    return () => this.#wakes.delete(run);
  }

  wake(): void {
    for (const run of [...this.#wakes]) run();
  }

  get wakers(): number {
    return this.#wakes.size;
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Let time pass, and all that is due by then happen in its order. */
  pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#timers
        .filter((timer) => timer.at <= until)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((one) => one !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = until;
  }

  /** Let time pass until the page dials again; return how long that took. */
  untilDialled(): number {
    const from = this.#now;
    for (const lines = this.lines.length; this.lines.length === lines; this.pass(50)) {
      if (this.#now - from > 60_000) throw new Error("nobody dialled within a minute");
    }
    return this.#now - from;
  }

  /** Let time pass with the desk answering every ping at once. */
  passAnswered(ms: number): void {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.pass(Math.min(STEP_MS, left));
      this.answer();
    }
  }

  /** Answer the pings that the last line has sent. */
  answer(): void {
    const line = this.line;
    for (const ping of line.of("ping")) {
      if (this.#answered.has(ping)) continue;
      this.#answered.add(ping);
      line.say({ ch: "answer", op: "ping", id: ping.id, t: this.iso() });
    }
  }
  readonly #answered = new WeakSet<object>();

  /** Sleep: time passes and nothing happens, not even what is due. */
  sleep(ms: number): void {
    this.#now += ms;
  }

  get line(): FakeLine {
    const last = this.lines.at(-1);
    if (!last) throw new Error("nobody dialled");
    return last;
  }

  /** The desk's time. */
  iso(): string {
    return new Date(this.wallMs() + this.aheadMs).toISOString();
  }

  greet(epoch = "e1", channels: readonly string[] = CHANNELS): void {
    this.line.say({ ch: "hello", epoch, t: this.iso(), channels, heartbeatMs: 10_000, keysMax: 2_000 });
  }
}

const WALL_MS = Date.UTC(2026, 0, 31, 12);
const STEP_MS = 250;
export const CHANNELS = [
  "prices",
  "books",
  "candles",
  "sources",
  "news",
  "system",
  "alerts",
  "orders",
];
