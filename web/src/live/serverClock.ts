/**
 * The desk's clock as this page knows it: its answers to pings tell the time, and half of the way
 * there and back is how long that took. The shortest of the last few ways is the most exact.
 */

const SAMPLES_MAX = 8;

export class ServerClock {
  #samples: { offsetMs: number; wayMs: number }[] = [];
  #offsetMs: number | null = null;

  constructor(
    private readonly elapsedMs: () => number,
    private readonly wallMs: () => number,
  ) {}

  /** Return the desk's time, Unix milliseconds; this machine's until the desk has spoken. */
  now(): number {
    return this.#offsetMs === null ? this.wallMs() : Math.round(this.elapsedMs() + this.#offsetMs);
  }

  /** The desk said its time; `askedMs` is when it was asked, if it was. */
  hear(iso: string | undefined, askedMs: number | null): void {
    const told = iso === undefined ? Number.NaN : Date.parse(iso);
    if (Number.isNaN(told)) return;
    const now = this.elapsedMs();
    // Unasked it took nobody knows how long: good enough until something better is known.
    const wayMs = askedMs === null ? 10_000 : now - askedMs;
    const offsetMs = told + (askedMs === null ? 0 : wayMs / 2) - now;
    this.#samples = [...this.#samples.slice(1 - SAMPLES_MAX), { offsetMs, wayMs }];
    this.#offsetMs = this.#samples.reduce((a, b) => (b.wayMs < a.wayMs ? b : a)).offsetMs;
  }

  /** This machine slept: what was measured before means nothing now. */
  doubt(): void {
    this.#samples = [];
  }
}
