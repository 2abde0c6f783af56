/** The page's notes; `toast(id, …)` from anywhere. */
import { live } from "../live/store";
import { type ToastNote, Toasts } from "./toastStore";

export type { ToastKind, ToastNote } from "./toastStore";

export const toasts = new Toasts({
  set: (run, ms) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer),
  now: () => live.now(),
});

export function toast(id: string, note: ToastNote): void {
  toasts.show(id, note);
}
