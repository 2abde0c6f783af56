/** Who may prove by what, and when a proof is still fresh enough for what cannot be repeated. */
import { describe, expect, it } from "vitest";
import { elsewhere } from "../passkeys";
import { isPending } from "../start/pending";
import { isFresh } from "./asking";
import { waysOf } from "./ways";

const somebody = { factors: [] as string[], wallets: 1, email: "ann@example.com", role: "owner" };

describe("waysOf", () => {
  it("asks for the second factor alone where there is one", () => {
    expect(waysOf({ ...somebody, factors: ["recovery", "totp"] })).toEqual(["totp", "recovery"]);
  });
  it("else for what one signs in with, the key for the owner only", () => {
    expect(waysOf(somebody)).toEqual(["wallet", "password", "key"]);
    expect(waysOf({ factors: [], wallets: 0, email: null, role: "admin" })).toEqual([]);
  });
});

it("calls a proof fresh for four of its five minutes", () => {
  const provenAt = new Date(1_000_000).toISOString();
  expect(isFresh(provenAt, 1_000_000 + 239_000)).toBe(true);
  expect(isFresh(provenAt, 1_000_000 + 240_000)).toBe(false);
  expect(isFresh(null, 0)).toBe(false);
});

it("says where passkeys of another domain work", () => {
  const here = { hostname: "127.0.0.1", protocol: "http:", port: "4000" };
  expect(elsewhere("localhost", here)).toBe("http://localhost:4000");
  expect(elsewhere("example.com", { hostname: "desk.example.com", protocol: "https:", port: "" })).toBeNull();
  expect(elsewhere("example.com", { hostname: "notexample.com", protocol: "https:", port: "" })).toBe("https://example.com");
});

it("shows the owner's first steps until both are done or they are dismissed", () => {
  const fresh = { role: "owner", wallets: 0, factors: 0, dismissed: false };
  expect(isPending(fresh)).toBe(true);
  expect(isPending({ ...fresh, wallets: 1 })).toBe(true);
  expect(isPending({ ...fresh, wallets: 1, factors: 2 })).toBe(false);
  expect(isPending({ ...fresh, dismissed: true })).toBe(false);
  expect(isPending({ ...fresh, role: "trader" })).toBe(false);
});
