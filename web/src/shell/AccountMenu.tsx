/** Who is signed in, and what they may change about the page. */
import { useMe } from "../api/session";
import { Menu } from "../ui/Menu";
import type { Action } from "./actions";
import { Icon } from "./icons";
import { navigate } from "./places";

export function AccountMenu({ actions }: { actions: readonly Action[] }) {
  const { me } = useMe();
  if (!me) return null;
  const { name, email, role } = me.user;
  const who = name || email || "account";
  return (
    <Menu
      label={`Account: ${who}`}
      className="shell-account"
      head={
        <>
          <p className="shell-account-name">{who}</p>
          <p className="quiet">{role}</p>
        </>
      }
      items={[
        { id: "account", label: "Account & security", hint: "g k", onSelect: () => navigate("/account") },
        ...actions.map(({ id, label, hint, run }) => ({ id, label, hint, onSelect: run })),
      ]}
    >
      <Icon name="account" />
    </Menu>
  );
}
