/** What is the matter with the desk now, and the notices that have left the corner. */
import { useState, useSyncExternalStore } from "react";
import { live } from "../live/store";
import { useCell } from "../live/useCell";
import { Age } from "../ui/Age";
import { Chip } from "../ui/Chip";
import { Dialog } from "../ui/Dialog";
import { Empty } from "../ui/Empty";
import { toasts } from "../ui/toasts";
import { Icon } from "./icons";
import { Link } from "./Link";

export function Bell() {
  const [open, setOpen] = useState(false);
  const alerts = useCell(live.alerts).filter((alert) => alert.endedAt === null);
  const notes = useSyncExternalStore(toasts.subscribe, toasts.past);
  const count = alerts.length;
  const close = () => setOpen(false);
  return (
    <>
      <button
        type="button"
        className="ui-button ui-button-quiet shell-bell"
        aria-label={count === 0 ? "Notices" : `Notices: ${count} standing`}
        onClick={() => setOpen(true)}
      >
        <Icon name="bell" />
        {count > 0 && <span className="shell-bell-count">{count > 99 ? "99+" : count}</span>}
      </button>
      <Dialog open={open} onClose={close} title="Notices">
        {count === 0 && notes.length === 0 && <Empty title="Nothing is the matter." />}
        {count > 0 && (
          <ul className="shell-notices">
            {alerts.map((alert) => (
              <li key={alert.id}>
                <Chip kind="warn">{alert.kind}</Chip>
                <span>{alert.detail}</span>
                <span className="quiet">
                  <Age at={alert.begunAt} />
                </span>
              </li>
            ))}
          </ul>
        )}
        {notes.length > 0 && (
          <ul className="shell-notices">
            {notes.map((note) => (
              <li key={note.id}>
                <Chip kind={note.kind === "busy" ? "info" : note.kind}>{note.kind}</Chip>
                <span>
                  {note.href ? (
                    <Link to={note.href} onClick={close}>
                      {note.title}
                    </Link>
                  ) : (
                    note.title
                  )}
                  {note.text && <span className="quiet"> {note.text}</span>}
                </span>
                <span className="quiet">
                  <Age at={note.atMs} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Dialog>
    </>
  );
}
