/**
 * How somebody likes their page: theme, colors, layout, confirmations. Kept by the desk for the
 * account; this browser keeps a copy only so that the first paint is right.
 */
import { useEffect } from "react";
import { Cell } from "../live/cell";
import { useCell } from "../live/useCell";
import { ApiError, api } from "./client";
import { useMe } from "./session";

export interface Settings {
  theme?: "dark" | "light" | "system";
  colors?: "normal" | "color-blind";
  density?: "normal" | "compact";
  /** Sizes and choices of panels, by name. */
  layout?: Record<string, string | number | boolean>;
  /** Whether orders are confirmed: always, or only past the desk's bounds. */
  confirm?: "always" | "large";
  /** Starred markets. */
  stars?: string[];
  /** Whether single keys act. */
  keys?: boolean;
  [name: string]: unknown;
}

export type Saved = "saved" | "saving" | "failed";

const PATH = "/api/me/settings";
const CACHE = "quantdesk.settings";
const WAIT_MS = 500;
const AGAIN_MS = 10_000;
const BYTES_MAX = 16_384; // the desk's bound

export interface SettingsStore {
  settings: Cell<Settings>;
  saved: Cell<Saved>;
  /** Read what the desk keeps for whoever is signed in; what was changed here meanwhile stays. */
  load(): Promise<void>;
  /** Take what another tab of this browser shows now. */
  adopt(copy: string | null): void;
  /** Another account is here, or none: nothing of this one is saved any more. */
  forget(): void;
  /** Change some, at once here, at the desk a moment later; undefined takes one away. */
  change(some: Settings): void;
}

interface Around {
  get(): Promise<Settings>;
  put(settings: Settings): Promise<unknown>;
  storage: Pick<Storage, "getItem" | "setItem"> | null;
  after(ms: number, run: () => void): () => void;
}

/** Return a store of settings; the page has one, `settings`. */
export function makeSettings(around: Around): SettingsStore {
  const settings = new Cell<Settings>(read(around.storage?.getItem(CACHE) ?? null));
  const saved = new Cell<Saved>("saved");
  let changed: Settings = {}; // what the desk has not taken yet
  let meanwhile: Settings = {}; // what an answer that is under way may not know
  let asked = 0;
  let cancel: (() => void) | null = null;
  let saving = false;

  function show(next: Settings): void {
    settings.set(next);
    try {
      around.storage?.setItem(CACHE, JSON.stringify(next));
    } catch {
      // Full or forbidden: the copy is only for the first paint.
    }
  }

  function later(ms: number): void {
    cancel?.();
    cancel = around.after(ms, () => void save());
  }

  async function save(): Promise<void> {
    cancel = null;
    if (saving) return later(WAIT_MS);
    saving = true;
    const sent = changed;
    try {
      await around.put(settings.get());
      for (const name of Object.keys(sent)) {
        if (Object.is(changed[name], sent[name])) delete changed[name];
      }
      saved.set(Object.keys(changed).length === 0 ? "saved" : "saving");
    } catch (problem) {
      saved.set("failed");
      if (problem instanceof ApiError && problem.retryable) later(AGAIN_MS);
    } finally {
      saving = false;
    }
  }

  return {
    settings,
    saved,
    async load() {
      const turn = ++asked;
      meanwhile = { ...changed };
      const told = await around.get();
      if (turn === asked) show(without({ ...told, ...meanwhile }));
    },
    adopt(copy) {
      settings.set(without({ ...read(copy), ...changed }));
    },
    forget() {
      asked += 1;
      changed = {};
      cancel?.();
      cancel = null;
      saved.set("saved");
    },
    change(some) {
      const next = without({ ...settings.get(), ...some });
      if (new TextEncoder().encode(JSON.stringify(next)).length > BYTES_MAX) {
        saved.set("failed");
        return;
      }
      changed = { ...changed, ...some };
      meanwhile = { ...meanwhile, ...some };
      saved.set("saving");
      show(next);
      later(WAIT_MS);
    },
  };
}

/** Read a copy; a broken one is none. */
function read(copy: string | null): Settings {
  try {
    const told: unknown = JSON.parse(copy ?? "{}");
    return told !== null && typeof told === "object" && !Array.isArray(told) ? (told as Settings) : {};
  } catch {
    return {};
  }
}

function without(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

export const settings: SettingsStore = makeSettings({
  get: () => api.get<Settings>(PATH),
  put: (told) => api.put(PATH, told),
  storage: typeof localStorage === "undefined" ? null : localStorage,
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
});

/** Return the settings, how to change some, and whether the desk has them. */
export function useSettings(): {
  settings: Settings;
  change(some: Settings): void;
  saved: Saved;
} {
  return {
    settings: useCell(settings.settings),
    change: settings.change,
    saved: useCell(settings.saved),
  };
}

/** Read the account's settings whenever somebody signs in; once, in the frame of the page. */
export function useSettingsLink(): void {
  const { me } = useMe();
  const who = me?.user.userId ?? null;
  useEffect(() => {
    if (who === null) return undefined;
    // Without an answer the copy of this browser stands; the next sign-in asks again.
    settings.load().catch(() => undefined);
    return () => settings.forget();
  }, [who]);
  useEffect(() => {
    const stored = (event: StorageEvent) => {
      if (event.key === CACHE) settings.adopt(event.newValue);
    };
    window.addEventListener("storage", stored);
    return () => window.removeEventListener("storage", stored);
  }, []);
}
