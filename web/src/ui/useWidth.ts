/** The window's width in px, for what is left out where there is no room. */
import { useSyncExternalStore } from "react";

function subscribe(changed: () => void): () => void {
  window.addEventListener("resize", changed);
  return () => window.removeEventListener("resize", changed);
}

export function useWidth(): number {
  return useSyncExternalStore(subscribe, () => window.innerWidth);
}
