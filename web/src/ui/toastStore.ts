/** Short notes of what happened: one per id, updated in place. Framework-free: `toasts.ts` has the page's, `Toasts.tsx` draws it.
 *  Bad ones stay until dismissed, busy ones until they are followed up, others leave after a while. */

export type ToastKind = "info" | "good" | "bad" | "busy";

export interface ToastNote {
  kind: ToastKind;
  title: string;
  text?: string | undefined;
  href?: string | undefined;
}

export interface Toast extends ToastNote {
  id: string;
  /** Rises with each update, so that ears hear it again. */
  turn: number;
  atMs: number;
}

export interface Timers {
  set(run: () => void, ms: number): unknown;
  clear(timer: never): void;
  now(): number;
}

export const STAY_MS = 6000;
export const TOASTS_MAX = 5;
export const PAST_MAX = 50;

export class Toasts {
  #shown: readonly Toast[] = [];
  #past: readonly Toast[] = [];
  #turn = 0;
  #timers = new Map<string, unknown>();
  #held = false;
  readonly #watchers = new Set<() => void>();
  readonly #clock: Timers;

  constructor(clock: Timers) {
    this.#clock = clock;
  }

  get = (): readonly Toast[] => this.#shown;

  /** The last of each id, the latest first, those that left included. */
  past = (): readonly Toast[] => this.#past;

  subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** Show a note, or change the one of this id where it stands. */
  show(id: string, note: ToastNote): void {
    const toast = { ...note, id, turn: ++this.#turn, atMs: this.#clock.now() };
    this.#past = [toast, ...this.#past.filter((other) => other.id !== id)].slice(0, PAST_MAX);
    const known = this.#shown.some((other) => other.id === id);
    const next = known ? this.#shown.map((other) => (other.id === id ? toast : other)) : [...this.#shown, toast];
    this.#keep(bounded(next));
    this.#arm(toast);
  }

  dismiss(id: string): void {
    this.#disarm(id);
    this.#keep(this.#shown.filter((toast) => toast.id !== id));
  }

  /** Nothing leaves while it is being read. */
  hold(held: boolean): void {
    this.#held = held;
    for (const toast of this.#shown) held ? this.#disarm(toast.id) : this.#arm(toast);
  }

  #arm(toast: Toast): void {
    this.#disarm(toast.id);
    if (this.#held || toast.kind === "bad" || toast.kind === "busy") return;
    this.#timers.set(toast.id, this.#clock.set(() => this.dismiss(toast.id), STAY_MS));
  }

  #disarm(id: string): void {
    const timer = this.#timers.get(id);
    if (timer !== undefined) this.#clock.clear(timer as never);
    this.#timers.delete(id);
  }

  #keep(shown: readonly Toast[]): void {
    for (const { id } of this.#shown) if (!shown.some((toast) => toast.id === id)) this.#disarm(id);
    this.#shown = shown;
    for (const watcher of this.#watchers) watcher();
  }
}

/** Past the bound the oldest goes, and of those one that is not bad before one that is. */
function bounded(toasts: readonly Toast[]): readonly Toast[] {
  if (toasts.length <= TOASTS_MAX) return toasts;
  const leaves = toasts.find((toast) => toast.kind !== "bad") ?? toasts[0];
  return toasts.filter((toast) => toast !== leaves);
}
