/**
 * The rule of `seq` and `epoch` (docs/reference/websocket.md, "The rule"); pure.
 *
 * A key is unknown until its snapshot came, then in step; after a gap it waits for the next
 * snapshot. What is not followed any more is forgotten, and what still arrives of it is dropped.
 */
import type { Told } from "./messages";

export type Verdict =
  /** It replaces all that is known of the key. */
  | "replace"
  /** It is the next change. */
  | "apply"
  /** It is old, or of a key that waits for its snapshot. */
  | "drop"
  /** Something was lost: the key waits now, and its state is to be asked for. */
  | "lost"
  /** The desk was started anew: everything is forgotten, all is to be asked for. */
  | "restarted";

const WAITING = -1;
const KEYS_MAX = 5_000; // more than the desk lets a client follow

export class Sequences {
  #epoch: string | null = null;
  readonly #last = new Map<string, number>();

  get epoch(): string | null {
    return this.#epoch;
  }

  /** A new connection begins: nothing is followed; return whether the desk is another one. */
  begin(epoch: string): boolean {
    const restarted = this.#epoch !== null && this.#epoch !== epoch;
    this.#epoch = epoch;
    this.#last.clear();
    return restarted;
  }

  /** A key is asked for: its changes mean nothing before its snapshot. */
  expect(name: string): void {
    this.#last.set(name, WAITING);
  }

  /** Forget a key, or with `whole` all keys whose name begins so. */
  forget(name: string, whole = false): void {
    if (!whole) this.#last.delete(name);
    else for (const one of this.#last.keys()) if (one.startsWith(name)) this.#last.delete(one);
  }

  isWaiting(name: string): boolean {
    return this.#last.get(name) === WAITING;
  }

  /** Say what a message means; a snapshot or a change in step is taken note of. */
  judge(name: string, told: Told): Verdict {
    if (told.epoch !== this.#epoch) return "restarted";
    const last = this.#last.get(name);
    if ("snap" in told) {
      if (last === undefined && this.#last.size >= KEYS_MAX) return "drop";
      this.#last.set(name, told.seq);
      return "replace";
    }
    if (last === WAITING) return "drop";
    if (last !== undefined && told.seq <= last) return "drop";
    if (last !== undefined && told.seq === last + 1) {
      this.#last.set(name, told.seq);
      return "apply";
    }
    if (last === undefined && this.#last.size >= KEYS_MAX) return "drop";
    this.#last.set(name, WAITING);
    return "lost";
  }
}
