/** Puts the settings of looks on the page: `data-theme`, `data-colors`, `data-density`. */
import { useEffect, useSyncExternalStore } from "react";
import { type Settings, settings, useSettings } from "../api/settings";

const LIGHT = "(prefers-color-scheme: light)";

export type Theme = "dark" | "light";

/** Return the theme that a setting means here; "system" asks the machine. Pure. */
export function themeOf(setting: Settings["theme"], systemIsLight: boolean): Theme {
  if (setting === "dark" || setting === "light") return setting;
  return systemIsLight ? "light" : "dark";
}

/** Put looks on the page; called before the first paint with what this browser remembers. */
export function wear(told: Settings): void {
  const { dataset } = document.documentElement;
  dataset["theme"] = themeOf(told.theme, matchMedia(LIGHT).matches);
  dataset["colors"] = told.colors === "color-blind" ? "color-blind" : "normal";
  dataset["density"] = told.density === "compact" ? "compact" : "normal";
}

export function wearAtOnce(): void {
  wear(settings.settings.get());
}

function watchSystem(changed: () => void): () => void {
  const query = matchMedia(LIGHT);
  query.addEventListener("change", changed);
  return () => query.removeEventListener("change", changed);
}

/** Return the theme in force. */
export function useTheme(): Theme {
  const { settings: told } = useSettings();
  return themeOf(told.theme, useSystemIsLight());
}

/** Keep the page as the settings say; once, in the frame. */
export function useAppearance(): void {
  const { settings: told } = useSettings();
  const light = useSystemIsLight();
  useEffect(() => wear(told), [told, light]);
}

function useSystemIsLight(): boolean {
  return useSyncExternalStore(watchSystem, () => matchMedia(LIGHT).matches);
}
