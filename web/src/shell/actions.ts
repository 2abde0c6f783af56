/** What account menu and palette both offer. */
import { signOut } from "../api/session";
import { useSettings } from "../api/settings";
import { toast } from "../ui/toasts";
import { useTheme } from "./appearance";
import { navigate } from "./places";

export interface Action {
  id: string;
  label: string;
  hint?: string;
  run: () => void;
}

export function useActions(onHelp: () => void): Action[] {
  const { settings, change } = useSettings();
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  const pair = settings.colors === "color-blind" ? "normal" : "color-blind";
  const density = settings.density === "compact" ? "normal" : "compact";
  const keysOff = settings.keys === false;
  return [
    { id: "theme", label: `Use the ${other} theme`, run: () => change({ theme: other }) },
    {
      id: "colors",
      label: pair === "normal" ? "Colors: green up, red down" : "Colors: blue up, orange down",
      run: () => change({ colors: pair }),
    },
    { id: "density", label: density === "compact" ? "Compact rows" : "Normal rows", run: () => change({ density }) },
    { id: "layout", label: "Reset layout", run: () => change({ layout: {} }) },
    { id: "keys", label: keysOff ? "Switch single-key shortcuts on" : "Switch single-key shortcuts off", run: () => change({ keys: keysOff }) },
    { id: "help", label: "Keyboard shortcuts", hint: "?", run: onHelp },
    { id: "api", label: "API reference", run: () => window.open("/api/docs", "_blank", "noopener") },
    { id: "sign-out", label: "Sign out", run: () => void leave() },
  ];
}

async function leave(): Promise<void> {
  try {
    await signOut();
    navigate("/sign-in");
  } catch (problem) {
    toast("sign-out", { kind: "bad", title: "Still signed in", text: problem instanceof Error ? problem.message : "" });
  }
}
