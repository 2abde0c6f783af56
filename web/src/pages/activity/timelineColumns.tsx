/** What the timeline shows of a row; on a narrow screen the rest is in the row's detail. */
import { dateTime, utc } from "../../format";
import { Link } from "./address";
import { Chip, type Column } from "../../ui";
import { type Entry, orderOf } from "./entry";
import { differences } from "./exact";
import { called, isBad } from "./words";

export type Names = (account: string) => string | null;

export function columns(names: Names): Column<Entry>[] {
  return [
    { id: "at", head: "When", cell: (row) => <When at={row.at} /> },
    { id: "what", head: "What", cell: (row) => <What row={row} /> },
    { id: "who", head: "Who", cell: (row) => <Who row={row} names={names} />, hideBelow: 560 },
    { id: "about", head: "About", cell: (row) => <About about={row.about} />, hideBelow: 720 },
    { id: "change", head: "Before → after", cell: (row) => <Change row={row} />, hideBelow: 900 },
    { id: "from", head: "From", cell: (row) => <span className="num">{row.ip || "the desk"}</span>, hideBelow: 1080 },
    {
      id: "request",
      head: "Request",
      cell: (row) => <span className="mono num quiet">{row.request || "none"}</span>,
      hideBelow: 1280,
    },
    { id: "seq", head: "Row", align: "right", cell: (row) => <span className="num">{row.seq}</span>, hideBelow: 400 },
  ];
}

/** Day and time stand below each other where there is no room for both. */
export function When({ at }: { at: string }) {
  const [day = "", time = ""] = dateTime(at).split(" ");
  return (
    <time className="activity-when" dateTime={at} title={utc(at)}>
      <span className="num">{day}</span> <span className="num">{time}</span>
    </time>
  );
}

function What({ row }: { row: Entry }) {
  const refused = row.code !== "";
  return (
    <span className="activity-what">
      <span className={isBad(row.action) || refused ? "warn" : undefined} title={row.action}>
        {called(row.action)}
      </span>
      {refused && <Chip kind="warn">{row.code}</Chip>}
    </span>
  );
}

export function Who({ row, names }: { row: Pick<Entry, "account" | "key" | "ip">; names: Names }) {
  if (row.account === "") return <span className="quiet">{row.ip === "" ? "the desk" : "nobody signed in"}</span>;
  return (
    <span title={row.account}>
      {names(row.account) ?? <span className="mono">{row.account.slice(0, 8)}</span>}
      {row.key !== "" && <span className="quiet"> by key</span>}
    </span>
  );
}

export function About({ about, whole = false }: { about: string; whole?: boolean }) {
  const order = orderOf(about);
  const text = whole || about.length <= 28 ? about : `${about.slice(0, 22)}…${about.slice(-4)}`;
  if (about === "") return <span className="quiet">none</span>;
  if (order === null) return <span title={about}>{text}</span>;
  return (
    <Link to={`/orders/${order}`} title={about}>
      {text}
    </Link>
  );
}

const CHANGES_SHOWN = 2;
const TEXT_SHOWN = 40;

function Change({ row }: { row: Entry }) {
  if (row.covers.length > 0) {
    const rows = row.covers.reduce((sum, one) => sum + Number(one.rows), 0);
    return <span className="quiet">{`${many(rows, "row")} of orders in ${many(row.covers.length, "batch", "batches")}`}</span>;
  }
  const all = differences(row.before, row.after);
  if (all.length === 0) return <span className="quiet">none</span>;
  return (
    <span className="activity-change">
      {all.slice(0, CHANGES_SHOWN).map((one) => (
        <span key={one.name}>
          {one.name && <span className="quiet">{one.name}: </span>}
          {brief(one.before)} → {brief(one.after)}
        </span>
      ))}
      {all.length > CHANGES_SHOWN && <span className="quiet">and {all.length - CHANGES_SHOWN} more</span>}
    </span>
  );
}

function many(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}

function brief(text: string): string {
  return text.length <= TEXT_SHOWN ? text : `${text.slice(0, TEXT_SHOWN - 1)}…`;
}
