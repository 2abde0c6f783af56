/** What is set, what is not, and what a test came to: nothing that failed may look well. */
import { describe, expect, it } from "vitest";
import { rows, type Configured, summary, type Tested, WAYS } from "./ways";

const LOG = { name: "log", to: "the desk's own log" };
const HOOK = { name: "webhook", to: "hooks.example.com" };
const ok = { delivered: true, code: null, detail: null };
const no = { delivered: false, code: "notice.unsent", detail: "it answered 500" };
const SET: Configured = { logOnly: false, ways: [{ ...LOG, kept: null }, { ...HOOK, kept: null }] };
const of = (rowsOf: ReturnType<typeof rows>, name: string) => rowsOf.find((row) => row.name === name)!;

describe("rows", () => {
  it("shows every way, and where those go that are set", () => {
    const shown = rows(SET, null);
    expect(shown.map((row) => row.name)).toEqual(WAYS.map((way) => way.name));
    expect(of(shown, "webhook").to).toBe("hooks.example.com");
    expect(of(shown, "slack").to).toBeNull();
    expect(shown.every((row) => row.outcome === null)).toBe(true);
  });
  it("puts an outcome with its way and nowhere else", () => {
    const shown = rows(SET, { logOnly: false, ways: [{ ...LOG, ...ok }, { ...HOOK, ...no }] });
    expect(of(shown, "webhook").outcome).toMatchObject(no);
    expect(of(shown, "log").outcome).toMatchObject(ok);
    expect(of(shown, "mail").outcome).toBeNull();
  });
  it("says why letters stay on the machine", () => {
    const kept = "set mail.smtp_host";
    const shown = rows({ logOnly: false, ways: [{ name: "mail", to: "ops@example.com", kept }] }, null);
    expect(of(shown, "mail")).toMatchObject({ to: "ops@example.com", kept });
  });
  it("shows a way it does not know by its own name", () => {
    const shown = rows({ logOnly: false, ways: [{ name: "pager", to: "pager.example.com", kept: null }] }, null);
    expect(of(shown, "pager")).toMatchObject({ label: "pager", to: "pager.example.com" });
  });
});

describe("summary", () => {
  const all = (...ways: Tested["ways"]): Tested => ({ logOnly: ways.length === 1, ways });
  it("is good only when all heard it, and somebody beside the log", () => {
    expect(summary(all({ ...LOG, ...ok }, { ...HOOK, ...ok })).kind).toBe("good");
    expect(summary(all({ ...LOG, ...ok })).kind).toBe("warn");
  });
  it("names the ways that failed", () => {
    const told = summary(all({ ...LOG, ...ok }, { ...HOOK, ...no }));
    expect(told).toEqual({ kind: "bad", text: "The test notice did not get through by 1 of 2 ways: Webhook." });
  });
});
