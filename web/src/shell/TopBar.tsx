/** The bar above every page: where to, whose money, whether the desk is heard, who is signed in. */
import { useSystem } from "../api/queries";
import type { PageRoute } from "../routes";
import { ConnChip } from "../ui/ConnChip";
import { ModeChip } from "../ui/ModeChip";
import { Kbd } from "../ui/Kbd";
import type { Action } from "./actions";
import { AccountMenu } from "./AccountMenu";
import { Bell } from "./Bell";
import { Icon, Logo } from "./icons";
import { Link } from "./Link";
import { Nav } from "./Nav";

const SYSTEM_MS = 30_000;

export interface TopBarProps {
  current: PageRoute | null;
  actions: readonly Action[];
  onPalette: () => void;
}

export function TopBar({ current, actions, onPalette }: TopBarProps) {
  const mode = useSystem({ everyMs: SYSTEM_MS }).data?.mode;
  return (
    <header className="shell-bar" data-mode={mode}>
      <Link to="/" className="shell-logo" aria-label="QuantDesk, to Trade">
        <Logo />
        <span className="shell-logo-word">QuantDesk</span>
      </Link>
      <Nav current={current} />
      <button type="button" className="shell-search" aria-keyshortcuts="Control+K Meta+K" onClick={onPalette}>
        <Icon name="search" />
        <span className="shell-search-word">Search</span>
        <span className="sr-only"> markets, pages and actions</span>
        <span className="shell-search-keys" aria-hidden="true">
          <Kbd>{MOD_K}</Kbd>
        </span>
      </button>
      <ModeChip />
      <ConnChip />
      <Bell />
      <AccountMenu actions={actions} />
    </header>
  );
}

const MOD_K = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘K" : "Ctrl+K";
