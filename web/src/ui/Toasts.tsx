/** Draws the notes of `toasts.ts`, in a corner, said politely; nothing leaves while pointer or focus is on them. */
import { useSyncExternalStore } from "react";
import { Link } from "../shell/Link";
import type { Toast, ToastKind } from "./toastStore";
import { toasts } from "./toasts";
import "./ui.css";

const SIGNS: Record<ToastKind, string> = { info: "ℹ", good: "✓", bad: "✕", busy: "…" };

export function Toasts() {
  const shown = useSyncExternalStore(toasts.subscribe, toasts.get);
  return (
    <section
      className="ui-toasts"
      aria-label="Notices"
      onMouseEnter={() => toasts.hold(true)}
      onMouseLeave={() => toasts.hold(false)}
      onFocus={() => toasts.hold(true)}
      onBlur={() => toasts.hold(false)}
    >
      <ol aria-live="polite" aria-relevant="additions text">
        {shown.map((toast) => (
          <Note key={toast.id} toast={toast} />
        ))}
      </ol>
    </section>
  );
}

function Note({ toast }: { toast: Toast }) {
  return (
    <li className={`ui-toast ui-toast-${toast.kind}`} data-toast={toast.id}>
      <span className="ui-toast-sign" aria-hidden="true">
        {SIGNS[toast.kind]}
      </span>
      <div className="ui-toast-text">
        <p className="ui-toast-title">
          {toast.href ? (
            <Link to={toast.href} onClick={() => toast.kind !== "busy" && toasts.dismiss(toast.id)}>
              {toast.title}
            </Link>
          ) : (
            toast.title
          )}
        </p>
        {toast.text && <p className="quiet">{toast.text}</p>}
      </div>
      <button type="button" className="ui-icon" aria-label={`Dismiss: ${toast.title}`} onClick={() => toasts.dismiss(toast.id)}>
        <span aria-hidden="true">✕</span>
      </button>
    </li>
  );
}
