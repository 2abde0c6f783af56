/** The trade page's keys: b/s side, 1–4 shares. None of them moves money; off while typing. */
import { useEffect, useRef } from "react";
import { useSettings } from "../../api/settings";
import { PRESETS } from "./form";
import type { Ticket } from "./useTicket";

const TYPING = "input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true], dialog[open]";

export function useKeys(ticket: Ticket): void {
  const on = useSettings().settings.keys !== false;
  const held = useRef(ticket);
  held.current = ticket;
  useEffect(() => {
    if (!on) return undefined;
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.defaultPrevented || event.repeat || event.altKey) return;
      const dialog = document.querySelector("dialog[open]") !== null;
      if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
        if (dialog || target.closest("[data-ticket]")) return; // the ticket's own form hears it
        event.preventDefault();
        held.current.act();
        return;
      }
      if (event.ctrlKey || event.metaKey || dialog || target.closest(TYPING)) return;
      if (event.key === "b") held.current.change({ side: "BUY" });
      else if (event.key === "s") held.current.change({ side: "SELL" });
      else if (/^[1-4]$/.test(event.key)) held.current.preset(PRESETS[Number(event.key) - 1]!);
      else if (event.key === "Enter" && target === document.body) held.current.previewing.ask();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [on]);
}
