/**
 * Work that is done at most so often, the latest of each name: what changes a hundred times a second
 * is painted ten times a second. The first after a pause waits only for what comes along with it.
 */
import { guarded } from "./cell";
import type { Environment } from "./environment";

export class Paced {
  readonly #pending = new Map<string, () => void>();
  #doneAt = Number.NEGATIVE_INFINITY;
  #callOff: (() => void) | null = null;

  constructor(
    private readonly env: Environment,
    private readonly everyMs: number,
    private readonly gatherMs: number,
  ) {}

  /** Do `run` with the next turn, in place of what was to be done under this name. */
  put(name: string, run: () => void): void {
    this.#pending.set(name, run);
    if (this.#callOff !== null) return;
    const waitMs = Math.max(this.gatherMs, this.#doneAt + this.everyMs - this.env.elapsedMs());
    if (waitMs === 0) this.#turn();
    else this.#callOff = this.env.after(waitMs, () => this.#turn());
  }

  clear(): void {
    this.#callOff?.();
    this.#callOff = null;
    this.#pending.clear();
  }

  #turn(): void {
    this.#callOff = null;
    this.#doneAt = this.env.elapsedMs();
    const due = [...this.#pending.values()];
    this.#pending.clear();
    for (const run of due) guarded(run);
  }
}
