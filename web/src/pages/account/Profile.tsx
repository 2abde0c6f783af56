/** Who one is on this desk, what that allows, and one's email address and password. */
import { api, type Schema } from "../../api/client";
import { signOut, useMe } from "../../api/session";
import { dateTime } from "../../format";
import { Button, Chip, Copy, ErrorBox, Panel } from "../../ui";
import { ChangePassword } from "./ChangePassword";
import { Fact, Facts } from "./parts";
import { allowed, KYC, ROLES } from "./roles";
import { told } from "./tell";
import { useAct } from "./useAct";

export function Profile() {
  const { me } = useMe();
  if (!me) return null;
  return (
    <div className="account-columns">
      <Who me={me} />
      <Panel title="What you may do">
        <ul className="account-list">
          {me.permissions.map((permission) => (
            <li key={permission}>
              <code>{permission}</code> <span className="quiet">{allowed(permission)}</span>
            </li>
          ))}
        </ul>
      </Panel>
      {me.user.email && <Mail user={me.user} />}
      <Panel title="Plan">
        <Facts>
          <Fact name="Plan">{me.user.plan}</Fact>
          <Fact name="API keys at once">{me.entitlements.keysMax}</Fact>
          <Fact name="A rotated key goes on for, at most">{Math.round(me.entitlements.keyRotationOverlapSMax / 3600)} h</Fact>
          <Fact name="Requests a minute">{me.entitlements.requestsPerMinute ?? "as the desk bounds them"}</Fact>
          <Fact name="Open orders">{me.entitlements.openOrdersMax ?? "as the desk bounds them"}</Fact>
        </Facts>
      </Panel>
    </div>
  );
}

function Who({ me }: { me: Schema<"MeView"> }) {
  const { user } = me;
  const leaving = useAct();
  const checking = useAct();
  return (
    <Panel
      title="You"
      actions={
        <Button small busy={leaving.busy} onClick={() => void leaving.act(signOut, [])}>
          Sign out
        </Button>
      }
    >
      <Facts>
        <Fact name="Name">{user.name}</Fact>
        <Fact name="Role">
          <Chip kind="info">{user.role}</Chip> <span className="quiet">{ROLES[user.role]}</span>
        </Fact>
        <Fact name="Identity checked (KYC)">
          {KYC[user.kyc] ?? user.kyc}{" "}
          {(user.kyc === "none" || user.kyc === "rejected") && (
            <Button small busy={checking.busy} onClick={() => void checking.act(() => api.post("/api/me/kyc"), ["me"])}>
              Have it checked
            </Button>
          )}
        </Fact>
        <Fact name="Since">{dateTime(user.createdAt)}</Fact>
        <Fact name="Last proved to be there">{me.provenAt ? dateTime(me.provenAt) : "not in this session"}</Fact>
        <Fact name="Account">
          <code>{user.userId}</code> <Copy text={user.userId} />
        </Fact>
      </Facts>
      <ErrorBox error={leaving.error ?? checking.error} />
    </Panel>
  );
}

function Mail({ user }: { user: Schema<"UserView"> }) {
  const sending = useAct();
  return (
    <Panel title="Email and password">
      <Facts>
        <Fact name="Email">
          {user.email} {user.emailVerified ? <Chip kind="good">proven</Chip> : <Chip kind="warn">not proven</Chip>}
        </Fact>
      </Facts>
      {!user.emailVerified && (
        <div>
          <Button
            small
            busy={sending.busy}
            onClick={() => void sending.act(() => api.post<Schema<"ToldView">>("/api/auth/verify/send"), [], told("verify"))}
          >
            Send the letter again
          </Button>
        </div>
      )}
      <ErrorBox error={sending.error} />
      <ChangePassword />
    </Panel>
  );
}
