/** A few words beside a thing, on hover and on focus; Escape sends them away, the pointer may enter them.
 *  `focusable` is for children that cannot take focus themselves, such as a number. */
import { useId, useRef, useState } from "react";
import type { ReactNode } from "react";
import "./ui.css";

export interface TooltipProps {
  text: ReactNode;
  children: ReactNode;
  focusable?: boolean | undefined;
}

export function Tooltip({ text, children, focusable = false }: TooltipProps) {
  const id = useId();
  const anchor = useRef<HTMLSpanElement>(null);
  const [at, setAt] = useState<{ left: number; top: number } | null>(null);
  const show = () => {
    const box = anchor.current?.getBoundingClientRect();
    if (box) setAt({ left: Math.min(Math.max(box.left, 8), Math.max(window.innerWidth - 288, 8)), top: box.bottom });
  };
  const hide = () => setAt(null);
  return (
    <span
      ref={anchor}
      className="ui-tip"
      tabIndex={focusable ? 0 : undefined}
      role={focusable ? "note" : undefined}
      aria-describedby={at ? id : undefined}
      onMouseEnter={show}
      onMouseLeave={hide}
      onFocus={show}
      onBlur={hide}
      onKeyDown={(event) => event.key === "Escape" && hide()}
    >
      {children}
      {at && (
        <span id={id} role="tooltip" className="ui-tip-text" style={at}>
          {text}
        </span>
      )}
    </span>
  );
}
