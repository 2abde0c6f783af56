/** One clock for all ages on the page: ticks each second while something watches, by the server's time. */
import { useSyncExternalStore } from "react";
import { live } from "../live/store";

const TICK_MS = 1000;
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let shown = 0;

function tick(): void {
  shown = live.now();
  for (const watcher of watchers) watcher();
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function current(): number {
  const now = live.now();
  // The same answer within a tick, or React would render for ever.
  if (Math.abs(now - shown) >= TICK_MS) shown = now;
  return shown;
}

/** Return the server's time in ms, renewed about once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, current);
}
