/** The page's keyboard: one listener, and groups that come and go with the components that own them. */
import { useEffect, useRef } from "react";
import { type Group, Keyboard, type Shortcut, type Stroke } from "./keys";

export type { Shortcut } from "./keys";

export const keyboard = new Keyboard();

const SINGLE = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=true]";

export function strokeOf(event: KeyboardEvent): Stroke {
  const target = event.target instanceof Element ? event.target : null;
  return {
    key: event.key,
    mod: event.ctrlKey || event.metaKey,
    alt: event.altKey,
    typing: target?.closest(SINGLE) != null,
    modal: document.querySelector("dialog[open]") !== null,
    atMs: event.timeStamp,
  };
}

/** Listen for as long as the frame of the page stands. */
export function useKeyboard(singleKeys: boolean): void {
  useEffect(() => {
    keyboard.singleKeys = singleKeys;
  }, [singleKeys]);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.repeat) return;
      if (["Shift", "Control", "Meta", "Alt"].includes(event.key)) return;
      const shortcut = keyboard.press(strokeOf(event));
      if (!shortcut) return;
      event.preventDefault();
      shortcut.run();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}

/** Add a group of shortcuts while a component stands; Help lists them under the title. */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const keys = shortcuts.map((shortcut) => `${shortcut.keys}\n${shortcut.does}`).join("\n\n");
  useEffect(() => {
    const group: Group = {
      title,
      shortcuts: latest.current.map((shortcut, at) => ({ ...shortcut, run: () => latest.current[at]?.run() })),
    };
    return keyboard.add(group);
  }, [title, keys]);
}
