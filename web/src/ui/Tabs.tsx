/** Tabs over one panel that the page renders itself: `<div {...tabPanel("orders", id)}>` ties both for ears. */
import { useRef } from "react";
import type { KeyboardEvent, ReactNode } from "react";
import "./ui.css";

export interface TabsProps<V extends string> {
  tabs: readonly { id: V; label: ReactNode; count?: number | string | null | undefined }[];
  value: V;
  onChange: (id: V) => void;
  label?: string | undefined;
  /** Begins the ids of tabs and panel; needed where two sets stand on one page. */
  name?: string | undefined;
}

export function Tabs<V extends string>({ tabs, value, onChange, label = "Sections", name = "tab" }: TabsProps<V>) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex((tab) => tab.id === value);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs[(to + tabs.length) % tabs.length];
    if (!next) return;
    event.preventDefault();
    onChange(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <div ref={list} className="ui-tabs" role="tablist" aria-label={label} onKeyDown={move}>
      {tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          id={`${name}-${tab.id}`}
          data-tab={tab.id}
          className="ui-tab"
          aria-selected={tab.id === value}
          tabIndex={tab.id === value ? 0 : -1}
          onClick={() => onChange(tab.id)}
        >
          {tab.label}
          {tab.count !== undefined && tab.count !== null && <span className="ui-tab-count">{tab.count}</span>}
        </button>
      ))}
    </div>
  );
}

/** What the panel under the tabs must carry. */
export function tabPanel(id: string, name = "tab") {
  return { role: "tabpanel" as const, "aria-labelledby": `${name}-${id}`, tabIndex: 0 };
}
