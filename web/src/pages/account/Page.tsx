/** /account?tab=…: one's own account and how the desk guards it; users for admins. Each tab is a file of its own. */
import { type ReactNode, useEffect } from "react";
import { useCan, useMe } from "../../api/session";
import { setQuery, useRoute } from "../../shell/router";
import { ErrorBox, Page as Frame, Skeleton, Tabs, tabPanel } from "../../ui";
import "./account.css";
import { Appearance } from "./Appearance";
import { Factors } from "./factors/Factors";
import { Keys } from "./keys/Keys";
import { Limits } from "./limits/Limits";
import { Notices } from "./notices/Notices";
import { Profile } from "./Profile";
import { Sessions } from "./Sessions";
import { Start } from "./start/Start";
import { useSetupPending } from "./start/pending";
import { Users } from "./users/Users";
import { WaysIn } from "./WaysIn";

type Tab = { id: string; label: string; show: () => ReactNode };

const TABS: readonly Tab[] = [
  { id: "profile", label: "Profile", show: () => <Profile /> },
  { id: "ways", label: "Ways to sign in", show: () => <WaysIn /> },
  { id: "factors", label: "Second factors", show: () => <Factors /> },
  { id: "sessions", label: "Sessions", show: () => <Sessions /> },
  { id: "keys", label: "API keys", show: () => <Keys /> },
  { id: "limits", label: "Limits", show: () => <Limits /> },
  { id: "appearance", label: "Appearance", show: () => <Appearance /> },
  { id: "notices", label: "Notices", show: () => <Notices /> },
];
const START: Tab = { id: "start", label: "Set up", show: () => <Start /> };
const USERS: Tab = { id: "users", label: "Users", show: () => <Users /> };

export default function Page() {
  const { me, error, refresh } = useMe();
  const can = useCan();
  const pending = useSetupPending();
  const asked = useRoute().query["tab"];
  const start = pending || (asked === START.id && me?.user.role === "owner");
  const tabs = [...(start ? [START] : []), ...TABS, ...(can("users:read") ? [USERS] : [])];
  const open = tabs.find((tab) => tab.id === asked) ?? tabs[0]!;
  const signedIn = me !== null;
  useEffect(() => {
    // On narrow screens the row of tabs scrolls, and a link may name one that is out of sight.
    document.getElementById(`account-${open.id}`)?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [open.id, signedIn]);
  return (
    <Frame title="Account & security">
      {!me && error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!me && !error && <Skeleton rows={6} />}
      {me && (
        <>
          <Tabs label="Account" name="account" tabs={tabs} value={open.id} onChange={(tab) => setQuery({ tab })} />
          <div className="account-panel" {...tabPanel(open.id, "account")}>
            {open.show()}
          </div>
        </>
      )}
    </Frame>
  );
}
