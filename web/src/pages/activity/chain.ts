/**
 * The audit's chain, checked in the browser with WebCrypto: nothing here trusts what the desk says of itself.
 *
 *   hash of a row = sha256(hash of the row before ‖ body)          src/quantdesk/access/audit/chain.py
 *   leaf = sha256(0x00 ‖ hash), node = sha256(0x01 ‖ left ‖ right)  RFC 9162 §2.1, …/audit/tree.py
 *   signature = Ed25519("quantdesk audit root 1\n" ‖ statement)     RFC 8032, …/audit/signing.py
 */

export const GENESIS = "0".repeat(64);
const PREFIX = "quantdesk audit root 1\n";

/** A row as it is chained; `body` is the text that was hashed, null where the desk does not send it. */
export interface Chained {
  seq: number;
  hash: string;
  prevHash: string;
  body: string | null;
}

export interface Wrong {
  seq: number;
  why: string;
}

/** What a look at some rows came to. */
export interface RowsReport {
  rows: number;
  /** Rows whose hash was made again out of their text. */
  hashed: number;
  /** Neighbors among the rows of which the later holds the hash of the earlier. */
  links: number;
  /** Places where rows between two of these are not among them, so that nothing was compared. */
  gaps: number;
  wrong: Wrong[];
}

/** WebCrypto is there for pages over TLS and of this machine alone. */
export function canHash(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

/** Check the hash of each row, and each link between neighbors. Rows may come in any order. */
export async function checkRows(rows: readonly Chained[]): Promise<RowsReport> {
  const sorted = [...rows].sort((a, b) => a.seq - b.seq);
  const report: RowsReport = { rows: rows.length, hashed: 0, links: 0, gaps: 0, wrong: [] };
  for (const [at, row] of sorted.entries()) {
    const why = (await ownHash(row, report)) ?? link(sorted[at - 1], row, report);
    if (why !== null) report.wrong.push({ seq: row.seq, why });
  }
  return report;
}

async function ownHash(row: Chained, report: RowsReport): Promise<string | null> {
  if (row.body === null) return null;
  const hash = toHex(await sha256(fromHex(row.prevHash), utf8(row.body)));
  report.hashed += 1;
  if (hash !== row.hash) return "its text is not the one that was hashed";
  return numberOf(row.body) === row.seq ? null : "its text is that of another row";
}

function link(before: Chained | undefined, row: Chained, report: RowsReport): string | null {
  if (row.seq === 1) {
    return row.prevHash === GENESIS ? null : "it is the first, and holds the hash of a row before it";
  }
  if (before === undefined) return null;
  if (before.seq === row.seq) return "it stands twice";
  if (before.seq !== row.seq - 1) {
    report.gaps += 1;
    return null;
  }
  report.links += 1;
  return before.hash === row.prevHash ? null : "it does not hold the hash of the row before it";
}

function numberOf(body: string): number | null {
  try {
    const told = JSON.parse(body) as { seq?: unknown };
    return typeof told.seq === "number" ? told.seq : null;
  } catch {
    return null;
  }
}

/** A Merkle tree that grows leaf by leaf and remembers one hash per level. */
export class Tree {
  count = 0;
  #peaks: Bytes[] = [];

  async add(entry: Bytes): Promise<void> {
    let grown = await sha256(Uint8Array.of(0), entry);
    for (let full = this.count; full & 1; full >>>= 1) {
      grown = await sha256(Uint8Array.of(1), this.#peaks.pop()!, grown);
    }
    this.#peaks.push(grown);
    this.count += 1;
  }

  async root(): Promise<string> {
    let root = this.#peaks.at(-1);
    if (root === undefined) return toHex(await sha256());
    for (const peak of this.#peaks.slice(0, -1).reverse()) root = await sha256(Uint8Array.of(1), peak, root);
    return toHex(root);
  }
}

export interface SignedRoot {
  day: string | null;
  first: number;
  last: number;
  statement: string;
  key: string;
  signature: string;
}

export interface PublicKey {
  id: string;
  publicKey: string;
}

/** What a signed root says. */
export interface Statement {
  at: number;
  day: string | null;
  first: number;
  last: number;
  head: string;
  tree: string;
}

/** What a look at a signed root came to; `signature` is "unchecked" where the browser knows no Ed25519. */
export interface RootReport {
  said: Statement | null;
  signature: "holds" | "wrong" | "unchecked";
  wrong: string[];
}

/** Check a root against the key that signed it, and against the root before it where there is one. */
export async function checkRoot(
  root: SignedRoot,
  keys: readonly PublicKey[],
  before: SignedRoot | null,
): Promise<RootReport> {
  const wrong: string[] = [];
  const said = statementOf(root.statement);
  if (said === null) return { said, signature: "unchecked", wrong: ["its statement is unreadable"] };
  if (said.first !== root.first || said.last !== root.last || said.day !== root.day) {
    wrong.push("what is listed is not what was signed");
  }
  const due = before === null ? 1 : before.last + 1;
  if (said.first !== due) wrong.push(`it begins at row ${said.first}, and row ${due} is due`);
  const key = keys.find((one) => one.id === root.key);
  if (key === undefined) return { said, signature: "unchecked", wrong: [...wrong, "its key is missing"] };
  const id = toHex(await sha256(fromHex(key.publicKey))).slice(0, 32);
  if (id !== key.id) wrong.push("its key has another's number");
  const holds = await signedBy(key.publicKey, PREFIX + root.statement, root.signature);
  if (holds === false) wrong.push("its signature does not hold");
  return { said, signature: holds === null ? "unchecked" : holds ? "holds" : "wrong", wrong };
}

function statementOf(text: string): Statement | null {
  try {
    const told = JSON.parse(text) as Statement;
    const whole = [told.at, told.first, told.last].every(Number.isSafeInteger);
    return whole && typeof told.head === "string" && typeof told.tree === "string" ? told : null;
  } catch {
    return null;
  }
}

/** Say whether a key signed this; null where the browser cannot tell. */
async function signedBy(publicKey: string, text: string, signature: string): Promise<boolean | null> {
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey("raw", fromHex(publicKey), { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
  return crypto.subtle.verify({ name: "Ed25519" }, key, fromHex(signature), utf8(text));
}

export type Bytes = Uint8Array<ArrayBuffer>;

export async function sha256(...parts: Bytes[]): Promise<Bytes> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

export function fromHex(text: string): Bytes {
  const bytes = new Uint8Array(text.length >> 1);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}
