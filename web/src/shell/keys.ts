/** Which shortcut a keystroke means. Pure but for what is half typed; `useKeys.ts` feeds it. */

export interface Shortcut {
  /** `?`, `g t` (one after the other) or `Mod+k` (Ctrl, on a Mac Cmd). */
  keys: string;
  does: string;
  run: () => void;
}

export interface Group {
  title: string;
  shortcuts: readonly Shortcut[];
}

export interface Stroke {
  key: string;
  mod: boolean;
  alt: boolean;
  /** In a field, where letters are text. */
  typing: boolean;
  /** While a dialog waits for an answer. */
  modal: boolean;
  atMs: number;
}

export const SEQUENCE_MS = 1500;

export class Keyboard {
  #groups = new Map<string, Group>();
  #first: { key: string; atMs: number } | null = null;
  /** Off: only shortcuts with Ctrl or Cmd act (WCAG 2.1.4). */
  singleKeys = true;

  /** Add a group; the returned function takes it away. The latest of a name counts. */
  add(group: Group): () => void {
    this.#groups.set(group.title, group);
    return () => {
      if (this.#groups.get(group.title) === group) this.#groups.delete(group.title);
    };
  }

  groups(): readonly Group[] {
    return [...this.#groups.values()];
  }

  /** Return what a stroke means; null is nothing, or the first half of something. */
  press(stroke: Stroke): Shortcut | null {
    const first = this.#pending(stroke);
    this.#first = null;
    if (stroke.alt) return null;
    if (stroke.mod) return stroke.modal ? null : this.#find(`mod+${stroke.key.toLowerCase()}`);
    if (!this.singleKeys || stroke.typing || stroke.modal) return null;
    const whole = first === null ? null : this.#find(`${first} ${stroke.key}`);
    if (whole) return whole;
    if (this.#begins(stroke.key)) {
      this.#first = { key: stroke.key, atMs: stroke.atMs };
      return null;
    }
    return first === null ? this.#find(stroke.key) : null;
  }

  #pending({ atMs }: Stroke): string | null {
    return this.#first && atMs - this.#first.atMs <= SEQUENCE_MS ? this.#first.key : null;
  }

  #all(): Shortcut[] {
    return this.groups().flatMap((group) => group.shortcuts);
  }

  #find(keys: string): Shortcut | null {
    // A page's own group was added last and counts first.
    return this.#all().findLast((shortcut) => shortcut.keys.toLowerCase() === keys.toLowerCase()) ?? null;
  }

  #begins(key: string): boolean {
    return this.#all().some((shortcut) => shortcut.keys.startsWith(`${key} `));
  }
}
