/** What is said of failures, and that nobody is sent to another site after signing in. */
import { describe, expect, it } from "vitest";
import { cause, fragment, placeAfter, refusal } from "./causes";

const clock = (atMs: number) => new Date(atMs).toISOString().slice(11, 16);

describe("cause", () => {
  it("says until when somebody is locked out", () => {
    const at = Date.UTC(2026, 0, 1, 13, 50);
    expect(cause({ code: "sign_in.throttled", retryAfterS: 900 }, at, clock).title).toBe("Locked until 14:05");
  });
  it("tells a used text from an old one and from a declined one", () => {
    const titles = ["nonce.used", "nonce.expired", "wallet.rejected"].map((code) => cause({ code }, 0, clock).title);
    expect(new Set(titles).size).toBe(3);
  });
  it("says the same of a wrong password and of an unknown address", () => {
    expect(cause({ code: "sign_in.failed" }, 0, clock)).toEqual(cause(new Error("?"), 0, clock));
  });
});

describe("placeAfter", () => {
  it.each(["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", null, undefined, "/\n/evil"])(
    "does not leave the desk for %s",
    (asked) => expect(placeAfter(asked)).toBe("/"),
  );
  it("goes back to a page, but to no page of signing in", () => {
    expect(placeAfter("/trade/SOL-USDC?side=sell")).toBe("/trade/SOL-USDC?side=sell");
    expect(placeAfter("/sign-in?next=/x")).toBe("/");
    expect(placeAfter("/reset")).toBe("/");
    expect(placeAfter("/sign-in-history")).toBe("/sign-in-history");
  });
});

describe("fragment", () => {
  it("holds a letter's token or a provider's ticket", () => {
    expect(fragment("#abc-_9")).toEqual({ token: "abc-_9", ticket: null });
    expect(fragment("#factor=t.1-2")).toEqual({ token: null, ticket: "t.1-2" });
    expect(fragment("")).toEqual({ token: null, ticket: null });
    expect(fragment("#<script>")).toEqual({ token: null, ticket: null });
  });
});

describe("refusal", () => {
  it("holds a code of the desk and nothing else", () => {
    expect(refusal("#refused=oauth.state")).toBe("oauth.state");
    expect(refusal("#refused=<b>")).toBeNull();
    expect(refusal("#factor=x")).toBeNull();
    expect(fragment("#refused=oauth.state")).toEqual({ token: null, ticket: null });
  });
});
