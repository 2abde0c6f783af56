/** The keys that work on every page. */
import { ROUTES, linkOf } from "../routes";
import { useAllowed } from "./Nav";
import { navigate } from "./places";
import { useShortcuts } from "./useKeys";

/** What `/` focuses: the page's own search of markets; pages mark it so. */
export const SEARCH = "[data-search]";
const FIRST_ROW = "main [data-rows] > tr[tabindex='0']";

export function useGlobalKeys({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }): void {
  const allowed = useAllowed();
  const pages = ROUTES.filter((route) => route.hotkey && allowed(route)).map((route) => ({
    keys: `g ${route.hotkey}`,
    does: route.title,
    run: () => navigate(linkOf(route)),
  }));
  useShortcuts("Everywhere", [
    { keys: "Mod+k", does: "Search markets, pages and actions", run: onPalette },
    { keys: "/", does: "Search markets", run: () => focusOr(SEARCH, onPalette) },
    { keys: "?", does: "This list", run: onHelp },
    { keys: "j", does: "First row of the first table", run: () => focusOr(FIRST_ROW, () => undefined) },
  ]);
  useShortcuts("Go to", pages);
}

function focusOr(selector: string, otherwise: () => void): void {
  const found = [...document.querySelectorAll<HTMLElement>(selector)].find((each) => each.checkVisibility());
  if (found) found.focus();
  else otherwise();
}
