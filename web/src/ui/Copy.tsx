/** Copies a text as it is, and says that it did. */
import { useEffect, useState } from "react";
import "./ui.css";

export function Copy({ text, label }: { text: string; label?: string | undefined }) {
  const [state, setState] = useState<"" | "Copied" | "Copying was not allowed">("");
  useEffect(() => {
    if (!state) return;
    const timer = setTimeout(() => setState(""), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => setState((await put(text)) ? "Copied" : "Copying was not allowed");
  return (
    <>
      <button
        type="button"
        className="ui-copy"
        aria-label={label ? `Copy ${label}` : `Copy ${text}`}
        title={text}
        onClick={(event) => {
          event.stopPropagation();
          void copy();
        }}
      >
        {label && <span>{label} </span>}
        <CopyMark done={state === "Copied"} />
      </button>
      <span className="sr-only" role="status">
        {state}
      </span>
    </>
  );
}

function CopyMark({ done }: { done: boolean }) {
  return (
    <svg width="14" height="14" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      {done ? <path d="M3 8.5l3.5 3.5L13 5" /> : <path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" />}
    </svg>
  );
}

/** Write to the clipboard; over plain HTTP from another machine browsers offer only the old way. */
async function put(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
