/** The frame of a page: its heading, and the window's title. */
import { useEffect } from "react";
import type { ReactNode } from "react";
import "./ui.css";

export interface PageProps {
  title: string;
  /** The window's title where it says more, such as a price. */
  windowTitle?: string | undefined;
  actions?: ReactNode;
  /** The heading is for ears only, where the page has no room. */
  hideTitle?: boolean | undefined;
  className?: string | undefined;
  children?: ReactNode;
}

export function Page({ title, windowTitle, actions, hideTitle = false, className, children }: PageProps) {
  const shown = windowTitle ?? title;
  useEffect(() => {
    document.title = `${shown} · QuantDesk`;
  }, [shown]);
  return (
    <div className={`ui-page ${className ?? ""}`}>
      <header className={hideTitle ? "sr-only" : "ui-page-head"}>
        <h1>{title}</h1>
        {!hideTitle && actions && <div className="ui-page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
