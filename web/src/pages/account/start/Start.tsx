/** The owner's first steps after signing in with the key: link a wallet, add a second factor, know the mode. Each may be skipped. */
import type { ReactNode } from "react";
import { useFactors, useSystem } from "../../../api/queries";
import { useMe } from "../../../api/session";
import { useSettings } from "../../../api/settings";
import { Link } from "../../../shell/Link";
import { navigate, useRoute } from "../../../shell/router";
import { Button, Chip, ModeChip, Panel } from "../../../ui";
import { placeAfter } from "../../sign-in/causes";
import { LinkWallet } from "../LinkWallet";
import { Modes } from "./Modes";
import { DISMISSED } from "./pending";

export function Start() {
  const { me } = useMe();
  const factors = useFactors();
  const system = useSystem();
  const { change } = useSettings();
  const next = placeAfter(useRoute().query["next"]);
  if (!me) return null;
  const leave = () => {
    change({ [DISMISSED]: true });
    navigate(next);
  };
  return (
    <Panel title="Set up this desk" actions={<Button small onClick={leave}>Do not show this again</Button>}>
      <p>You are signed in as its owner. Three steps make it yours; each can wait.</p>
      <ol className="account-steps">
        <Step at={1} title="Link your wallet" done={me.wallets.length > 0}>
          <p>
            The owner’s key counts on this machine only. With a wallet linked you sign in from anywhere by signing a text, and the key can stay
            where it is.
          </p>
          <LinkWallet primary={me.wallets.length === 0} />
        </Step>
        <Step at={2} title="Add a second factor" done={(factors.data?.methods.length ?? 0) > 0}>
          <p>An app or a passkey; then a stolen wallet or key alone does not open the desk. Ten recovery codes come with it.</p>
          <div>
            <Link className="ui-button" to="/account?tab=factors">
              Second factors
            </Link>
          </div>
        </Step>
        <Step at={3} title="Know the mode">
          <p className="account-step-head">
            {system.data && <ModeChip />} A mode is a wall set at the start: no page and no order can cross it.
          </p>
          {system.data && <Modes mode={system.data.mode} />}
        </Step>
      </ol>
      <div>
        <Button kind="primary" onClick={() => navigate(next)}>
          Go to the desk
        </Button>
      </div>
    </Panel>
  );
}

function Step({ at, title, done, children }: { at: number; title: string; done?: boolean; children: ReactNode }) {
  return (
    <li>
      <h3 className="account-step-head">
        {at}. {title} {done !== undefined && <Chip kind={done ? "good" : "quiet"}>{done ? "done" : "open"}</Chip>}
      </h3>
      {children}
    </li>
  );
}
