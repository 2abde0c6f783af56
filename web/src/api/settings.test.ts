import { expect, test, vi } from "vitest";
import { ApiError } from "./client";
import { makeSettings, type Settings } from "./settings";

/** A desk that keeps settings, a browser that keeps a copy, a clock that stands still. */
function world(kept: Settings = {}, copy: string | null = null) {
  const storage = new Map<string, string>(copy === null ? [] : [["quantdesk.settings", copy]]);
  const timers: { ms: number; run: () => void }[] = [];
  const put = vi.fn(async (_: Settings): Promise<unknown> => undefined);
  const get = vi.fn(async (): Promise<Settings> => kept);
  const store = makeSettings({
    get,
    put,
    storage: {
      getItem: (name) => storage.get(name) ?? null,
      setItem: (name, value) => void storage.set(name, value),
    },
    after(ms, run) {
      const timer = { ms, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  });
  /** Let what is due happen, and what that awaits. */
  const settle = async () => {
    timers.shift()?.run();
    for (let n = 0; n < 10; n += 1) await Promise.resolve();
  };
  return { store, get, put, storage, timers, settle };
}

/** An answer that comes when told to. */
function slow() {
  let answer: (told: Settings) => void = () => undefined;
  const promise = new Promise<Settings>((resolve) => (answer = resolve));
  return { answer: (told: Settings) => answer(told), promise };
}

test("a copy of this browser is there at once, the desk's word replaces it", async () => {
  const { store } = world({ theme: "light" }, '{"theme":"dark"}');
  expect(store.settings.get()).toEqual({ theme: "dark" });
  await store.load();
  expect(store.settings.get()).toEqual({ theme: "light" });
});

test.each(["{", "5", "null", "[1]"])("a copy that is broken (%s) is none", (copy) => {
  expect(world({}, copy).store.settings.get()).toEqual({});
});

test("many changes are one write a moment later, with all of them", async () => {
  const { store, put, timers, settle, storage } = world();
  store.change({ theme: "dark" });
  store.change({ density: "compact" });
  store.change({ theme: "light" });
  expect(store.settings.get()).toEqual({ theme: "light", density: "compact" });
  expect(store.saved.get()).toBe("saving");
  expect(timers).toHaveLength(1);
  await settle();
  expect(put.mock.calls).toEqual([[{ theme: "light", density: "compact" }]]);
  expect(store.saved.get()).toBe("saved");
  expect(JSON.parse(storage.get("quantdesk.settings") ?? "")).toEqual({ theme: "light", density: "compact" });
});

test("what was changed here is not undone by what the desk kept", async () => {
  const { store } = world({ theme: "light", density: "normal" });
  store.change({ theme: "dark" });
  await store.load();
  expect(store.settings.get()).toEqual({ theme: "dark", density: "normal" });
});

test("an answer that was under way while a change was kept does not undo it", async () => {
  const { store, get, settle } = world();
  const { answer, promise } = slow();
  get.mockReturnValueOnce(promise);
  const loading = store.load();
  store.change({ theme: "dark" });
  await settle();
  expect(store.saved.get()).toBe("saved");
  answer({ theme: "light", density: "compact" });
  await loading;
  expect(store.settings.get()).toEqual({ theme: "dark", density: "compact" });
});

test("an answer for who has left shows nothing to who came", async () => {
  const { store, get } = world({ theme: "dark" });
  const { answer, promise } = slow();
  get.mockReturnValueOnce(promise);
  const loading = store.load();
  store.forget();
  await store.load();
  answer({ theme: "light" });
  await loading;
  expect(store.settings.get()).toEqual({ theme: "dark" });
});

test("a failure is told, and tried again where that may help", async () => {
  const { store, put, timers, settle } = world();
  put.mockRejectedValueOnce(new ApiError({ status: 0, code: "network.unreachable", detail: "", retryable: true }));
  store.change({ theme: "dark" });
  await settle();
  expect(store.saved.get()).toBe("failed");
  expect(timers.map((timer) => timer.ms)).toEqual([10_000]);
  await settle();
  expect(store.saved.get()).toBe("saved");
  put.mockRejectedValueOnce(new ApiError({ status: 403, code: "request.forbidden", detail: "", retryable: false }));
  store.change({ theme: "light" });
  await settle();
  expect(store.saved.get()).toBe("failed");
  expect(timers).toEqual([]);
});

test("undefined takes one away; more than the desk keeps is refused here", () => {
  const { store } = world({}, '{"theme":"dark","stars":["SOL"]}');
  store.change({ theme: undefined } as unknown as Settings);
  expect(store.settings.get()).toEqual({ stars: ["SOL"] });
  store.change({ note: "x".repeat(20_000) });
  expect(store.saved.get()).toBe("failed");
  expect(store.settings.get()).toEqual({ stars: ["SOL"] });
});

test("what another tab changed is here too, and is not undone by the next change", async () => {
  const { store, put, settle } = world();
  store.change({ density: "compact" });
  store.adopt('{"theme":"light","density":"normal"}');
  expect(store.settings.get()).toEqual({ theme: "light", density: "compact" });
  await settle();
  expect(put).toHaveBeenCalledWith({ theme: "light", density: "compact" });
  store.adopt("{broken");
  expect(store.settings.get()).toEqual({});
});

test("what was not saved is not saved for the next account", async () => {
  const { store, put, timers } = world({ theme: "light" });
  store.change({ theme: "dark" });
  store.forget();
  expect(timers).toEqual([]);
  await store.load();
  expect(store.settings.get()).toEqual({ theme: "light" });
  expect(put).not.toHaveBeenCalled();
});
