import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cameBy, here, inside, match, navigate, setQuery, watch, withQuery } from "./places";

describe("match", () => {
  test.each([
    ["/trade/:pair", "/trade/SOL-USDC", { pair: "SOL-USDC" }],
    ["/trade/:pair", "/trade/SOL-USDC/", { pair: "SOL-USDC" }],
    ["/orders/:id", "/orders/a%20b", { id: "a b" }],
    ["/portfolio", "/portfolio", {}],
    ["/portfolio", "/portfolio/x", null],
    ["/trade/:pair", "/trade", null],
    ["/trade/:pair", "/trade/%E0%A4%A", null],
    ["/account", "/Account", null],
  ])("%s against %s", (pattern, path, params) => {
    expect(match(pattern, path)).toEqual(params);
  });
});

describe("inside keeps to this site", () => {
  test.each([
    ["/trade/SOL-USDC?tab=fills#x", "/trade/SOL-USDC?tab=fills#x"],
    ["//evil.example/x", "/"],
    ["/\\evil.example", "/"],
    ["/.//evil.example", "/"],
    ["/a/..//evil.example", "/"],
    ["http://", "/"],
    ["https://evil.example", "/"],
    ["javascript:alert(1)", "/"],
    ["/\t/evil.example", "/"],
    ["trade", "/"],
    ["", "/"],
    [null, "/"],
    [undefined, "/"],
  ])("%s → %s", (to, place) => {
    expect(inside(to)).toBe(place);
  });
});

test("a changed query keeps the other values and the fragment", () => {
  const place = { path: "/activity", search: "?a=1&b=2", hash: "#h" };
  expect(withQuery(place, { b: null, c: "3 4" })).toBe("/activity?a=1&c=3+4#h");
  expect(withQuery({ ...place, hash: "" }, { a: "", b: undefined })).toBe("/activity");
});

describe("going", () => {
  let steps: string[];

  beforeEach(() => {
    steps = [];
    const target = new EventTarget();
    const location = { pathname: "/a", search: "", hash: "" };
    const go = (kind: string) => (_state: unknown, _title: string, to: string) => {
      steps.push(`${kind} ${to}`);
      const url = new URL(to, "http://desk.invalid");
      Object.assign(location, { pathname: url.pathname, search: url.search, hash: url.hash });
    };
    vi.stubGlobal(
      "window",
      Object.assign(target, { location, history: { pushState: go("push"), replaceState: go("replace") } }),
    );
  });

  afterEach(() => vi.unstubAllGlobals());

  test("tells who watches, until they stop", () => {
    const told = vi.fn();
    const stop = watch(told);
    navigate("/b?x=1");
    expect(here()).toEqual({ path: "/b", search: "?x=1", hash: "" });
    stop();
    navigate("/c");
    expect(told).toHaveBeenCalledTimes(1);
    expect(steps).toEqual(["push /b?x=1", "push /c"]);
  });

  test("to where one is adds no step, so Back leaves", () => {
    navigate("/a");
    expect(steps).toEqual([]);
  });

  test("a filter changes the address without a step", () => {
    setQuery({ status: "FAILED" });
    expect(steps).toEqual(["replace /a?status=FAILED"]);
  });

  test("the place is one object until it changes, or React would render for ever", () => {
    expect(here()).toBe(here());
    const before = here();
    navigate("/b");
    expect(here()).not.toBe(before);
  });

  test("Back is told apart from a link", () => {
    const stop = watch(() => undefined);
    navigate("/b");
    expect(cameBy()).toBe("push");
    window.dispatchEvent(new Event("popstate"));
    expect(cameBy()).toBe("pop");
    navigate("/c");
    expect(cameBy()).toBe("push");
    stop();
  });
});
