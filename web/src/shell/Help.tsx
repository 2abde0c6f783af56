/** `?`: every key that does something here, as the page itself knows them. */
import { Dialog } from "../ui/Dialog";
import { Kbd } from "../ui/Kbd";
import type { Group } from "./keys";
import { keyboard } from "./useKeys";

const act = () => undefined;

const TABLES: Group = {
  title: "In a table",
  shortcuts: [
    { keys: "j k", does: "Next or previous row (arrows too)", run: act },
    { keys: "Home End", does: "First or last row", run: act },
    { keys: "Enter", does: "Open the row", run: act },
    { keys: "Esc", does: "Close what is open", run: act },
  ],
};

/** `pages/trade/useKeys.ts` acts on them, there alone; listed everywhere, so that they are found. */
const TRADE: Group = {
  title: "On the Trade page",
  shortcuts: [
    { keys: "b", does: "Buy", run: act },
    { keys: "s", does: "Sell", run: act },
    { keys: "1 2 3 4", does: "25, 50, 75 % or all of the balance", run: act },
    { keys: "Enter", does: "Preview", run: act },
    { keys: "Mod+Enter", does: "Send what was previewed", run: act },
  ],
};

export function Help({ onClose, singleKeys }: { onClose: () => void; singleKeys: boolean }) {
  return (
    <Dialog open onClose={onClose} title="Keyboard shortcuts" wide>
      {!singleKeys && <p className="warn">Single keys are switched off in the settings; those with Ctrl or Cmd act.</p>}
      <div className="shell-help">
        {[...keyboard.groups(), TRADE, TABLES].map((group) => (
          <section key={group.title} aria-label={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.shortcuts.map(({ keys, does }) => (
                <div key={keys} className="shell-help-row">
                  <dt>
                    <Kbd>{keys.replace("Mod+k", `${MOD}K`).replace("Mod+", MOD)}</Kbd>
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className="quiet">Single keys do nothing while you type. Nothing that moves money is a single key.</p>
    </Dialog>
  );
}

const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl+";
