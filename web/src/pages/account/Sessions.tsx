/** Where one is signed in: this session marked, any of the others ended, or all of them. */
import { useState } from "react";
import { api, type Schema } from "../../api/client";
import { useSessions } from "../../api/queries";
import { signOut, withProof } from "../../api/session";
import { dateTime } from "../../format";
import { Age, Button, Chip, type Column, Confirm, Panel, Table } from "../../ui";
import { browser, method } from "./agents";
import { Shown } from "./parts";
import { done } from "./tell";
import { again } from "./useAct";

type Session = Schema<"SessionView">;

export function Sessions() {
  const sessions = useSessions();
  const [leaving, setLeaving] = useState<Session | "others" | null>(null);
  const others = sessions.data?.sessions.filter((one) => !one.current).length ?? 0;
  const end = async () => {
    if (leaving === null) return;
    if (leaving !== "others" && leaving.current) return signOut();
    const path = leaving === "others" ? "/api/sessions" : `/api/sessions/${leaving.sessionId}`;
    const { ended } = await withProof(() => api.del<Schema<"EndedView">>(path));
    await again(["/api/sessions"]);
    done("session", ended === 1 ? "The session is ended, everywhere" : `${ended} sessions are ended, everywhere`)();
  };
  return (
    <Panel
      title="Open sessions"
      actions={
        <Button small disabled={others === 0} onClick={() => setLeaving("others")}>
          End all others
        </Button>
      }
    >
      <Shown of={sessions}>
        {(data) => (
          <Table
            caption="Open sessions, the newest first"
            columns={columns(setLeaving)}
            rows={data.sessions}
            rowKey={(row) => row.sessionId}
          />
        )}
      </Shown>
      <p className="quiet">An ended session is felt within a second, by open pages too.</p>
      <Confirm
        open={leaving !== null}
        title={title(leaving)}
        confirm={leaving !== "others" && leaving?.current ? "Sign out" : "End"}
        danger
        onConfirm={end}
        onClose={() => setLeaving(null)}
      >
        <p>{sentence(leaving, others)}</p>
      </Confirm>
    </Panel>
  );
}

const title = (leaving: Session | "others" | null) =>
  leaving === "others" ? "End all other sessions?" : leaving?.current ? "Sign out here?" : "End this session?";

function sentence(leaving: Session | "others" | null, others: number): string {
  if (leaving === "others") return `${others} ${others === 1 ? "session ends" : "sessions end"}; this one stays.`;
  return leaving ? `${browser(leaving.agent)} at ${leaving.ip}, opened ${dateTime(leaving.openedAt)}.` : "";
}

const columns = (onEnd: (session: Session) => void): Column<Session>[] => [
  {
    id: "where",
    head: "Where",
    cell: (row) => (
      <span title={row.agent}>
        {browser(row.agent)} {row.current && <Chip kind="good">this one</Chip>}
      </span>
    ),
  },
  { id: "ip", head: "Address", cell: (row) => <code>{row.ip}</code>, hideBelow: 560 },
  { id: "method", head: "By", cell: (row) => method(row.method), hideBelow: 720 },
  { id: "opened", head: "Opened", cell: (row) => dateTime(row.openedAt), sort: (row) => row.openedAt, hideBelow: 900 },
  { id: "renewed", head: "Renewed", cell: (row) => <Age at={row.renewedAt} /> },
  { id: "expires", head: "Over", cell: (row) => dateTime(row.expiresAt), hideBelow: 900 },
  {
    id: "act",
    head: <span className="sr-only">Actions</span>,
    align: "right",
    cell: (row) => (
      <Button small onClick={() => onEnd(row)}>
        {row.current ? "Sign out" : "End"}
      </Button>
    ),
  },
];
