/** A question above the page: the browser's own modal dialog, so focus stays in it and comes back after. */
import { useId, useLayoutEffect, useRef } from "react";
import type { ReactNode } from "react";
import { createPortal } from "react-dom";
import "./ui.css";

export interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  wide?: boolean | undefined;
  className?: string | undefined;
}

// Where typing begins, else the first action, which is the harmless one; not the ✕ that stands first.
const FIELD = "input:not(:disabled):not([type=radio]:not(:checked)), select:not(:disabled), textarea:not(:disabled)";
const ACTION = ".ui-dialog-actions button:not(:disabled)";

export function Dialog(props: DialogProps) {
  return props.open ? <Opened {...props} /> : null;
}

function Opened({ onClose, title, children, actions, wide = false, className }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const dialog = box.current;
    if (dialog && !dialog.open) dialog.showModal();
    (dialog?.querySelector<HTMLElement>(FIELD) ?? dialog?.querySelector<HTMLElement>(ACTION))?.focus();
    return () => dialog?.close();
  }, []);
  // Hung below the body: a dialog asked from inside a form would nest forms.
  return createPortal(
    <dialog
      ref={box}
      className={`ui-dialog ${wide ? "ui-dialog-wide" : ""} ${className ?? ""}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === box.current && onClose()}
    >
      <div className="ui-dialog-body">
        <header className="ui-dialog-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" className="ui-icon" aria-label="Close" onClick={onClose}>
            <span aria-hidden="true">✕</span>
          </button>
        </header>
        {children}
        {actions && <footer className="ui-dialog-actions">{actions}</footer>}
      </div>
    </dialog>,
    document.body,
  );
}
