/** A value that tells who watches it when it changes; no framework. */

type Watcher = () => void;

export class Cell<T> {
  #value: T;
  readonly #watchers = new Set<Watcher>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) guarded(watcher);
  }

  /** Call `watcher` after each change until the returned function is called. */
  subscribe(watcher: Watcher): () => void {
    const own = () => watcher(); // the same function may watch twice
    this.#watchers.add(own);
    if (this.#watchers.size === 1) this.watched();
    return () => {
      if (this.#watchers.delete(own) && this.#watchers.size === 0) this.unwatched();
    };
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** The first watcher came. */
  protected watched(): void {}

  /** The last watcher left. */
  protected unwatched(): void {}
}

/** A cell that is filled only while somebody watches it. */
export class FollowedCell<T> extends Cell<T> {
  constructor(
    value: T,
    private readonly follow: () => void,
    private readonly leave: () => void,
  ) {
    super(value);
  }

  protected override watched(): void {
    this.follow();
  }

  protected override unwatched(): void {
    this.leave();
  }
}

/** Call a watcher; its error is reported, and keeps nobody else from hearing. */
export function guarded(watcher: Watcher): void {
  try {
    watcher();
  } catch (problem) {
    reportError(problem);
  }
}
