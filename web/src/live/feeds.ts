/** What is shown of channels that tell rows: the later of two with the same name counts. */
import { guarded } from "./cell";
import type { CandleView } from "./messages";

/** Rows by name, at most so many: the first to come are the first to go. */
export class Rows<T> {
  #rows = new Map<string | number, T>();

  constructor(
    private readonly nameOf: (row: T) => string | number,
    private readonly atMost: number,
  ) {}

  replace(rows: readonly T[]): void {
    this.#rows = new Map();
    this.merge(rows);
  }

  merge(rows: readonly T[]): void {
    for (const row of rows) this.#rows.set(this.nameOf(row), row);
    for (const name of this.#rows.keys()) {
      if (this.#rows.size <= this.atMost) break;
      this.#rows.delete(name);
    }
  }

  get all(): T[] {
    return [...this.#rows.values()];
  }

  get size(): number {
    return this.#rows.size;
  }
}

export interface CandleEar {
  /** All candles, oldest first, in place of what was told before. */
  replace(rows: CandleView[]): void;
  /** Some that changed or came, oldest first. */
  update(rows: CandleView[]): void;
}

const CANDLES_MAX = 2_000;
const CHANGED_MAX = 200;

/** The candles of one market and interval, for all who draw them. */
export class CandleFeed {
  readonly #rows = new Rows<CandleView>((row) => row.openAt, CANDLES_MAX);
  readonly #ears = new Set<CandleEar>();
  #changed = new Rows<CandleView>((row) => row.openAt, CHANGED_MAX);
  #whole = false;

  /** Tell somebody from now on, beginning with what is known. */
  join(ear: CandleEar): void {
    this.#ears.add(ear);
    if (this.#rows.size > 0) guarded(() => ear.replace(byTime(this.#rows.all)));
  }

  leave(ear: CandleEar): void {
    this.#ears.delete(ear);
  }

  get isHeard(): boolean {
    return this.#ears.size > 0;
  }

  replace(rows: CandleView[]): void {
    this.#rows.replace(byTime(rows));
    this.#whole = true;
  }

  merge(rows: CandleView[]): void {
    this.#rows.merge(rows);
    this.#changed.merge(rows);
    if (this.#changed.size >= CHANGED_MAX) this.#whole = true; // some may be left out of these
  }

  /** Tell what changed since the last time. */
  flush(): void {
    const changed = this.#changed.all;
    const whole = this.#whole;
    this.#changed = new Rows((row) => row.openAt, CHANGED_MAX);
    this.#whole = false;
    const rows = byTime(whole ? this.#rows.all : changed);
    if (!whole && rows.length === 0) return;
    for (const ear of this.#ears) {
      guarded(() => (whole ? ear.replace(rows) : ear.update(rows)));
    }
  }
}

function byTime(rows: CandleView[]): CandleView[] {
  // ISO-8601 in UTC sorts as text.
  return [...rows].sort((a, b) => (a.openAt < b.openAt ? -1 : a.openAt > b.openAt ? 1 : 0));
}
