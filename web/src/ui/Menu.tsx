/** A button that opens a short list of things to do; arrows move, Escape and a click elsewhere close. */
import { useEffect, useRef, useState } from "react";
import type { KeyboardEvent, ReactNode } from "react";
import "./ui.css";

export interface MenuItem {
  id: string;
  label: ReactNode;
  hint?: ReactNode;
  onSelect: () => void;
  disabled?: boolean | undefined;
  danger?: boolean | undefined;
}

export interface MenuProps {
  /** What the button does, for ears. */
  label: string;
  items: readonly MenuItem[];
  /** What the button shows; the label unless given. */
  children?: ReactNode;
  /** A line above the items, such as whose account it is. */
  head?: ReactNode;
  className?: string | undefined;
}

export function Menu({ label, items, children, head, className }: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const rows = box.current?.querySelectorAll<HTMLElement>("[role=menuitem]");
    rows?.[0]?.focus();
    const outside = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const move = (event: KeyboardEvent) => {
    if (!open) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") {
      setOpen(false);
    } else {
      step(event, box.current);
    }
  };
  return (
    <div ref={box} className={`ui-menu ${className ?? ""}`} onKeyDown={move}>
      <button
        ref={button}
        type="button"
        className="ui-button ui-button-quiet"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={label}
        onClick={() => setOpen(!open)}
      >
        {children ?? label}
      </button>
      {open && (
        <div className="ui-menu-list">
          {head && <div className="ui-menu-head">{head}</div>}
          <div role="menu" aria-label={label}>
            {items.map((item) => (
              <button
                key={item.id}
                type="button"
                role="menuitem"
                tabIndex={-1}
                className={`ui-menu-item ${item.danger ? "down" : ""}`}
                disabled={item.disabled}
                onClick={() => {
                  close();
                  item.onSelect();
                }}
              >
                <span>{item.label}</span>
                {item.hint && <span className="quiet">{item.hint}</span>}
              </button>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}

function step(event: KeyboardEvent, box: HTMLElement | null): void {
  const rows = [...(box?.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)") ?? [])];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined || rows.length === 0) return;
  event.preventDefault();
  rows[(to + rows.length) % rows.length]?.focus();
}
