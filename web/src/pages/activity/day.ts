/**
 * Every row of a signed day, fetched, hashed again, linked, and brought under the root that was signed.
 *
 *   root ──pages of rows, newest first──▶ hashes ──Merkle tree──▶ the same tree as the statement's?
 */
import { type Chained, checkRows, fromHex, type Statement, Tree, type Wrong } from "./chain";

export const PAGE = 500;
/** Rows of a day that a browser is asked to hash; `quantdesk audit verify` does any number. */
export const DAY_ROWS_MAX = 25_000;

export interface DayReport {
  rows: number;
  hashed: number;
  links: number;
  wrong: Wrong[];
  /** Whether the last row's hash and the tree over all rows are those that were signed. */
  head: boolean;
  tree: boolean;
}

/** Return rows below a number, newest first. */
export type Older = (below: number, limit: number) => Promise<readonly Chained[]>;

/** Check all rows of what a root says; `told` hears how many are done. */
export async function checkDay(said: Statement, older: Older, told: (rows: number) => void): Promise<DayReport> {
  const rows: Chained[] = [];
  let below = said.last + 1;
  while (below > said.first) {
    const page = (await older(below, Math.min(PAGE, below - said.first))).filter((row) => row.seq >= said.first);
    const lowest = page.at(-1);
    if (lowest === undefined || lowest.seq >= below) break;
    rows.push(...page);
    below = lowest.seq;
    told(rows.length);
  }
  const due = said.last - said.first + 1;
  const { hashed, links, wrong } = await checkRows(rows);
  if (rows.length !== due) wrong.unshift({ seq: said.first, why: `${due} rows were signed, ${rows.length} are there` });
  const tree = new Tree();
  for (const row of rows.reverse()) await tree.add(fromHex(row.hash));
  return {
    rows: rows.length,
    hashed,
    links,
    wrong,
    head: rows.at(-1)?.hash === said.head,
    tree: (await tree.root()) === said.tree,
  };
}
