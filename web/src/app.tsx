/** The frame of every page: who is there decides between signing in and the terminal; the address decides the page. */
import { useState } from "react";
import type { MouseEvent } from "react";
import { useLiveLink, useMe } from "./api/session";
import { useSettings, useSettingsLink } from "./api/settings";
import { ProofDialog } from "./pages/account/ProofDialog";
import { find } from "./routes";
import { useActions } from "./shell/actions";
import { useAppearance } from "./shell/appearance";
import { Arrival } from "./shell/Arrival";
import { Help } from "./shell/Help";
import { Outlet } from "./shell/Outlet";
import { Palette } from "./shell/Palette";
import { usePlace } from "./shell/router";
import { StandingBanner } from "./shell/StandingBanner";
import { TopBar } from "./shell/TopBar";
import { useGlobalKeys } from "./shell/useGlobalKeys";
import { useKeyboard } from "./shell/useKeys";
import { Toasts } from "./ui/Toasts";
import "./shell/shell.css";

type Open = "palette" | "help" | null;

export function App() {
  const { me, loading, error } = useMe();
  const path = usePlace().path;
  const found = find(path);
  useLiveLink();
  useSettingsLink();
  useAppearance();
  const bare = me === null && !loading && !error;
  return (
    <>
      <a className="shell-skip" href="#main" onClick={skip}>
        Skip to the page
      </a>
      {me ? <SignedIn /> : null}
      <main id="main" tabIndex={-1} className={bare ? "shell-main shell-bare" : "shell-main"}>
        <Outlet found={found} path={path} />
      </main>
      <Arrival path={path} title={found?.route.title ?? "No such page"} />
      <Toasts />
    </>
  );
}

/** To the page without touching the address, whose fragment may hold a token. */
function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** What only those see who are signed in. */
function SignedIn() {
  const [open, setOpen] = useState<Open>(null);
  const { settings } = useSettings();
  const singleKeys = settings.keys !== false;
  const found = find(usePlace().path);
  const actions = useActions(() => setOpen("help"));
  const close = () => setOpen(null);
  useKeyboard(singleKeys);
  useGlobalKeys({ onPalette: () => setOpen("palette"), onHelp: () => setOpen("help") });
  return (
    <>
      <div className="shell-top">
        <TopBar current={found?.route ?? null} actions={actions} onPalette={() => setOpen("palette")} />
        <StandingBanner />
      </div>
      {open === "palette" && <Palette actions={actions} onClose={close} />}
      {open === "help" && <Help onClose={close} singleKeys={singleKeys} />}
      <ProofDialog />
    </>
  );
}
