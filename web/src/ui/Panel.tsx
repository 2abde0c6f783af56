/** A titled part of a page; a region for ears. */
import { useId } from "react";
import type { ReactNode } from "react";
import "./ui.css";

export interface PanelProps {
  title: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
  className?: string | undefined;
  /** Without space around the content, for tables and charts. */
  flush?: boolean | undefined;
}

export function Panel({ title, actions, children, className, flush = false }: PanelProps) {
  const id = useId();
  return (
    <section className={`ui-panel ${className ?? ""}`} aria-labelledby={id}>
      <header className="ui-panel-head">
        <h2 id={id}>{title}</h2>
        {actions && <div className="ui-panel-actions">{actions}</div>}
      </header>
      <div className={flush ? "ui-panel-body ui-flush" : "ui-panel-body"}>{children}</div>
    </section>
  );
}
