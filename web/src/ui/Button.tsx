/** A button; every page's. `busy` keeps its width, says so to ears, and stops a second press. */
import type { ButtonHTMLAttributes, Ref } from "react";
import "./ui.css";

export type ButtonKind = "primary" | "buy" | "sell" | "danger" | "quiet";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: ButtonKind | undefined;
  busy?: boolean | undefined;
  small?: boolean | undefined;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ kind, busy = false, small = false, className, children, onClick, ...rest }: ButtonProps) {
  const classes = ["ui-button", kind && `ui-button-${kind}`, small && "ui-button-small", className];
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(" ")}
      aria-busy={busy || undefined}
      aria-disabled={busy || rest["aria-disabled"]}
      onClick={(event) => (busy ? event.preventDefault() : onClick?.(event))}
    >
      <span className="ui-button-text">{children}</span>
      {busy && <span className="ui-spinner" aria-hidden="true" />}
    </button>
  );
}
