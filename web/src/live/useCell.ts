/** A cell in a React component; the only file of `live/` that knows React. */
import { useCallback, useSyncExternalStore } from "react";
import type { Cell } from "./cell";

/** Return a cell's value, and render again when it changes. */
export function useCell<T>(cell: Cell<T>): T {
  const subscribe = useCallback((changed: () => void) => cell.subscribe(changed), [cell]);
  const get = useCallback(() => cell.get(), [cell]);
  return useSyncExternalStore(subscribe, get, get);
}
