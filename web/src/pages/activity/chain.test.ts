/** The chain check against the first signed day of a real desk: orders, a limit, a halt, faults, wrong passwords. */
import { describe, expect, it } from "vitest";
import { type Chained, checkRoot, checkRows, fromHex, GENESIS, type SignedRoot, sha256, type Statement, toHex, Tree } from "./chain";
import { checkDay } from "./day";
import { entryOf, type RowView } from "./entry";
import { differences } from "./exact";
import told from "./fixtures/audit.json";

const VIEWS = told.rows as unknown as RowView[];
const ROWS: Chained[] = VIEWS.map(entryOf);
const DAY = ROWS.filter((row) => row.seq <= 18);
const ROOT = told.roots[0] as SignedRoot;
const SAID = JSON.parse(ROOT.statement) as Statement;

/** Return a row with another text in it, its hash left alone. */
function changed(row: Chained): Chained {
  return { ...row, body: (row.body ?? "").replace('"at":1', '"at":2') };
}

/** Return the rows chained anew over texts of one's own, as somebody could who may write everything. */
async function forged(rows: readonly Chained[], from: number): Promise<Chained[]> {
  const chained: Chained[] = [];
  let prevHash = GENESIS;
  for (const row of [...rows].reverse()) {
    const body = row.seq === from ? changed(row).body : row.body;
    const hash = toHex(await sha256(fromHex(prevHash), new TextEncoder().encode(body ?? "")));
    chained.push({ seq: row.seq, prevHash, hash, body });
    prevHash = hash;
  }
  return chained.reverse();
}

/** Answer as the desk does: rows below a number, newest first. */
const from = (rows: readonly Chained[]) => (below: number, limit: number) =>
  Promise.resolve(rows.filter((row) => row.seq < below).slice(0, limit));

describe("rows", () => {
  it("hold where nobody changed them", async () => {
    expect(await checkRows(ROWS)).toEqual({ rows: 19, hashed: 19, links: 18, gaps: 0, wrong: [] });
  });

  it("are found out wherever a text was changed", async () => {
    for (const [at, row] of ROWS.entries()) {
      const { wrong } = await checkRows(ROWS.with(at, changed(row)));
      expect(wrong).toEqual([{ seq: row.seq, why: "its text is not the one that was hashed" }]);
    }
  });

  it("are found out where a hash was made to fit the change", async () => {
    for (const [at, row] of ROWS.entries()) {
      if (at === 0) continue; // the newest: no row holds its hash yet
      const text = changed(row).body ?? "";
      const hash = toHex(await sha256(fromHex(row.prevHash), new TextEncoder().encode(text)));
      const { wrong } = await checkRows(ROWS.with(at, { ...row, body: text, hash }));
      expect(wrong).toEqual([{ seq: row.seq + 1, why: "it does not hold the hash of the row before it" }]);
    }
  });

  it("are told to have gaps where some are not there, and nothing is said of those", async () => {
    const some = ROWS.filter((row) => row.seq !== 5 && row.seq !== 9);
    expect(await checkRows(some)).toEqual({ rows: 17, hashed: 17, links: 14, gaps: 2, wrong: [] });
  });

  it("are found out where one stands twice or under another's number", async () => {
    const [newest, before] = [ROWS[0]!, ROWS[1]!];
    expect((await checkRows([...ROWS, before])).wrong).toEqual([{ seq: 18, why: "it stands twice" }]);
    const { wrong } = await checkRows([{ ...newest, seq: 20 }]);
    expect(wrong).toEqual([{ seq: 20, why: "its text is that of another row" }]);
  });

  it("begin with nothing before the first", async () => {
    const hash = toHex(await sha256(fromHex(ROWS[0]!.hash), new TextEncoder().encode(ROWS.at(-1)!.body ?? "")));
    const { wrong } = await checkRows([{ ...ROWS.at(-1)!, prevHash: ROWS[0]!.hash, hash }]);
    expect(wrong[0]?.why).toContain("it is the first");
  });

  it("without their text are counted as not hashed", async () => {
    const bare = ROWS.map((row) => ({ ...row, body: null }));
    expect(await checkRows(bare)).toMatchObject({ hashed: 0, links: 18, wrong: [] });
  });
});

describe("signed roots", () => {
  it("hold by the desk's own key", async () => {
    expect(await checkRoot(ROOT, told.keys, null)).toEqual({ said: SAID, signature: "holds", wrong: [] });
  });

  it("do not hold when anything of them is another", async () => {
    const other = told.keys[0]!.publicKey.replace(/^../, "00");
    const wrong: [SignedRoot, typeof told.keys][] = [
      [{ ...ROOT, statement: ROOT.statement.replace('"last":18', '"last":17'), last: 17 }, told.keys],
      [{ ...ROOT, statement: ROOT.statement.replace('"tree":"8', '"tree":"9') }, told.keys],
      [{ ...ROOT, signature: ROOT.signature.replace(/^../, "ff") }, told.keys],
      [{ ...ROOT, last: 17 }, told.keys],
      [ROOT, [{ id: told.keys[0]!.id, publicKey: other }]],
      [ROOT, []],
      [{ ...ROOT, statement: "{}" }, told.keys],
    ];
    for (const [root, keys] of wrong) expect((await checkRoot(root, keys, null)).wrong).not.toEqual([]);
  });

  it("follow on the day before", async () => {
    const before = { ...ROOT, first: 1, last: 17 };
    expect((await checkRoot(ROOT, told.keys, before)).wrong).toEqual(["it begins at row 1, and row 18 is due"]);
  });
});

describe("a signed day", () => {
  it("has the rows that were signed", async () => {
    const heard: number[] = [];
    const found = await checkDay(SAID, from(ROWS), (rows) => heard.push(rows));
    expect(found).toEqual({ rows: 18, hashed: 18, links: 17, wrong: [], head: true, tree: true });
    expect(heard.at(-1)).toBe(18);
  });

  it("is found out where a row is gone", async () => {
    const found = await checkDay(SAID, from(DAY.filter((row) => row.seq !== 9)), () => {});
    expect(found.wrong[0]?.why).toBe("18 rows were signed, 17 are there");
    expect(found.tree).toBe(false);
  });

  it("is found out where all of it was chained anew", async () => {
    for (const seq of [1, 9, 18]) {
      const found = await checkDay(SAID, from(await forged(DAY, seq)), () => {});
      expect(found).toMatchObject({ rows: 18, wrong: [], head: false, tree: false });
    }
  });

  it("ends where the desk sends the same rows again and again", async () => {
    const found = await checkDay(SAID, () => Promise.resolve(DAY), () => {});
    expect(found.rows).toBe(18);
  });
});

describe("trees", () => {
  it("are those of RFC 9162", async () => {
    // Vectors of the certificate-transparency project: entries "", 0x00, 0x10, 0x2021, 0x3031, …
    const entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const roots: Record<number, string> = {
      0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    const tree = new Tree();
    for (let count = 0; count <= entries.length; count += 1) {
      if (roots[count]) expect(await tree.root()).toBe(roots[count]);
      const entry = entries[count];
      if (entry !== undefined) await tree.add(fromHex(entry));
    }
  });
});

describe("what is shown of a row", () => {
  it("is read from the text that was hashed", () => {
    const lied = entryOf({ ...VIEWS.find((view) => view.seq === 9)!, action: "nothing.happened", ip: "10.0.0.9" });
    expect([lied.action, lied.ip, lied.about]).toEqual(["trading.halted", "127.0.0.1", "trading"]);
    expect(lied.at).toBe("2026-11-21T23:59:32.363Z");
  });

  it("keeps a limit as it was written", () => {
    const limit = entryOf(VIEWS.find((view) => view.seq === 8)!);
    expect(differences(limit.before, limit.after)).toEqual([{ name: "", before: "none", after: "250000.50" }]);
  });

  it("tells which rows of orders it covers", () => {
    const covering = VIEWS.map(entryOf).filter((entry) => entry.action === "orders.recorded");
    const rows = covering.flatMap((entry) => entry.covers).map((one) => Number(one.rows));
    expect(rows.reduce((sum, one) => sum + one, 0)).toBe(24);
  });
});
