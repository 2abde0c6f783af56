/** A row of the audit as the page reads it: out of the very text that was hashed, wherever the desk sends it. */
import type { components } from "../../api/types";
import type { Chained } from "./chain";
import { type Exact, fromPlain, isObject, Num, readExact, shown } from "./exact";

export type RowView = components["schemas"]["AuditRowView"];

export interface Covered {
  kind: string;
  number: string;
  rows: string;
}

export interface Entry extends Chained {
  at: string;
  action: string;
  account: string;
  key: string;
  session: string;
  about: string;
  code: string;
  ip: string;
  agent: string;
  request: string;
  before: Exact;
  after: Exact;
  /** Rows of orders that this row covers. */
  covers: Covered[];
}

/** Return a row as it is shown. */
export function entryOf(view: RowView): Entry {
  const chained = { seq: view.seq, hash: view.hash, prevHash: view.prevHash, body: view.body ?? null };
  const told = chained.body === null ? null : bodyOf(chained.body);
  return told === null ? { ...chained, ...plain(view) } : { ...chained, ...told };
}

type Told = Omit<Entry, keyof Chained>;

function bodyOf(text: string): Told | null {
  let body: Exact;
  try {
    body = readExact(text);
  } catch {
    return null;
  }
  if (!isObject(body)) return null;
  const word = (name: string): string => (body[name] === undefined || body[name] === null ? "" : shown(body[name]));
  return {
    at: body.at instanceof Num ? moment(Number(body.at.text)) : "",
    action: word("action"),
    account: word("account"),
    key: word("key"),
    session: word("session"),
    about: word("about"),
    code: word("code"),
    ip: word("ip"),
    agent: word("agent"),
    request: word("request"),
    before: body.before ?? null,
    after: body.after ?? null,
    covers: Array.isArray(body.batches) ? body.batches.flatMap(covered) : [],
  };
}

function covered(batch: Exact): Covered[] {
  if (!Array.isArray(batch)) return [];
  const [kind, number, rows] = batch.map(shown);
  return kind !== undefined && number !== undefined && rows !== undefined ? [{ kind, number, rows }] : [];
}

function moment(ms: number): string {
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}

function plain(view: RowView): Told {
  return {
    at: view.at,
    action: view.action,
    account: view.accountId ?? "",
    key: view.keyId ?? "",
    session: view.sessionId ?? "",
    about: view.about ?? "",
    code: view.code ?? "",
    ip: view.ip ?? "",
    agent: view.agent ?? "",
    request: view.requestId ?? "",
    before: fromPlain(view.before),
    after: fromPlain(view.after),
    covers: (view.batches ?? []).map(([kind, number, rows]) => ({ kind, number: String(number), rows: String(rows) })),
  };
}

/** Return the order that a row is about, if it is about one. */
export function orderOf(about: string): string | null {
  return /^order:([0-9a-f-]{36})$/.exec(about)?.[1] ?? null;
}

/** Return a row for a file: plain columns, documents as they were hashed. */
export function exported(entry: Entry): Record<string, string> {
  return {
    seq: String(entry.seq),
    at: entry.at,
    action: entry.action,
    account: entry.account,
    key: entry.key,
    session: entry.session,
    about: entry.about,
    code: entry.code,
    ip: entry.ip,
    agent: entry.agent,
    request: entry.request,
    before: entry.before === null ? "" : shown(entry.before),
    after: entry.after === null ? "" : shown(entry.after),
    hash: entry.hash,
    prevHash: entry.prevHash,
    body: entry.body ?? "",
  };
}
