import { afterEach, describe, expect, test, vi } from "vitest";
import { again, pause } from "./cache";
import { ApiError, csrfOf, makeApi, withQuery } from "./client";
import { exact, parseExact, writeExact } from "./exact";
import { setProver, withProof } from "./proof";

interface Sent {
  path: string;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

const problem = (status: number, code: string, more: object = {}) =>
  new Response(JSON.stringify({ code, detail: "why", status, retryable: false, requestId: "r1", ...more }), {
    status,
    headers: { "content-type": "application/problem+json", "retry-after": "7" },
  });

/** A client whose desk answers as told, one answer per request, the last for all that follow. */
function client(answers: (() => Response | Promise<Response>)[], cookies = "qd_csrf=tok") {
  const sent: Sent[] = [];
  const api = makeApi({
    fetch: async (path, o) => {
      sent.push({
        path: String(path),
        method: o?.method ?? "",
        headers: o?.headers as Record<string, string>,
        body: o?.body as string | undefined,
      });
      const answer = answers[Math.min(sent.length, answers.length) - 1];
      if (!answer) throw new Error("no answer planned");
      return answer();
    },
    cookies: () => cookies,
    alone: (_, run) => run(),
  });
  return { api, sent };
}

const json = (body: unknown) => () => new Response(JSON.stringify(body));
const failed = async (call: Promise<unknown>): Promise<ApiError> => {
  const thrown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(ApiError);
  return thrown as ApiError;
};

describe("answers", () => {
  test("JSON is what it says, 204 is nothing", async () => {
    const { api } = client([json({ a: [1, "x"] }), () => new Response(null, { status: 204 })]);
    expect(await api.get("/api/x")).toEqual({ a: [1, "x"] });
    expect(await api.del("/api/x")).toBeUndefined();
  });

  test("a problem is thrown with its code, its words, and all it holds", async () => {
    const { api } = client([() => problem(409, "quote.expired", { preview: { amount: "10.5" } })]);
    const error = await failed(api.post("/api/orders", {}));
    expect(error).toMatchObject({
      status: 409,
      code: "quote.expired",
      detail: "why",
      retryable: false,
      requestId: "r1",
      retryAfterS: 7,
      body: { preview: { amount: "10.5" } },
    });
  });

  test("what is no problem document is still told with its status", async () => {
    const { api } = client([
      () => new Response("<html>Bad Gateway</html>", { status: 502 }),
      () => new Response("<html>", { status: 200 }),
    ]);
    expect(await failed(api.get("/api/x"))).toMatchObject({ status: 502, code: "response.malformed", retryable: true });
    expect(await failed(api.get("/api/x"))).toMatchObject({ status: 200, code: "response.malformed" });
  });

  test("nothing answered: a command may have been done, and is not sent again", async () => {
    const { api, sent } = client([() => Promise.reject(new TypeError("Failed to fetch"))]);
    const read = await failed(api.get("/api/x"));
    expect(read).toMatchObject({ status: 0, code: "network.unreachable", retryable: true });
    const command = await failed(api.post("/api/orders", {}));
    expect(command.detail).toMatch(/unknown/);
    expect(sent).toHaveLength(2);
  });

  test("an answer that never comes is given up after a bounded time", async () => {
    const hanging = makeApi({
      fetch: (_, o) =>
        new Promise((_resolve, reject) => {
          o?.signal?.addEventListener("abort", () => reject(o.signal?.reason));
        }),
      cookies: () => "",
      alone: (_, run) => run(),
    });
    const held = setTimeout(() => undefined, 5_000); // AbortSignal.timeout alone keeps no process up
    expect(await failed(hanging.get("/api/x", { timeoutMs: 5 }))).toMatchObject({ code: "network.timeout" });
    clearTimeout(held);
  });

  test("whoever calls it off hears that, and no error of the network", async () => {
    const { api } = client([() => Promise.reject(new DOMException("stop", "AbortError"))]);
    const stopped = AbortSignal.abort();
    await expect(api.get("/api/x", { signal: stopped })).rejects.toThrow("stop");
  });
});

describe("forged requests", () => {
  test("what changes something carries the token of the cookie", async () => {
    const { api, sent } = client([json({})], "a=b; qd_csrf=t0k; c=d");
    await api.post("/api/a", { x: 1 });
    await api.put("/api/a", {});
    await api.patch("/api/a", {});
    await api.del("/api/a");
    await api.get("/api/a");
    expect(sent.map((one) => one.headers["x-csrf-token"])).toEqual(["t0k", "t0k", "t0k", "t0k", undefined]);
    expect(sent[0]).toMatchObject({ method: "POST", body: '{"x":1}' });
    expect(sent[0]?.headers["content-type"]).toBe("application/json");
    expect(sent[3]?.headers["content-type"]).toBeUndefined();
  });

  test.each([
    ["qd_csrf=abc", "abc"],
    ["x=1;qd_csrf=a=b==", "a=b=="],
    ["not_qd_csrf=1", null],
    ["qd_csrf=", null],
    ["", null],
  ])("the token in %j is %j", (cookies, token) => expect(csrfOf(cookies)).toBe(token));
});

describe("a session that ran out", () => {
  const unauthenticated = () => problem(401, "request.unauthenticated");

  test("is renewed once, and the call made again", async () => {
    const { api, sent } = client([unauthenticated, unauthenticated, json({}), json({ me: 1 })]);
    expect(await api.get("/api/me")).toEqual({ me: 1 });
    expect(sent.map((one) => `${one.method} ${one.path}`)).toEqual([
      "GET /api/me",
      "GET /api/me",
      "POST /api/auth/refresh",
      "GET /api/me",
    ]);
  });

  test("that another tab renewed meanwhile is not renewed again", async () => {
    const { api, sent } = client([unauthenticated, json({ me: 1 })]);
    expect(await api.get("/api/me")).toEqual({ me: 1 });
    expect(sent).toHaveLength(2);
  });

  test("that cannot be renewed is told as what it is, without a loop", async () => {
    const { api, sent } = client([unauthenticated, unauthenticated, () => problem(401, "refresh.invalid")]);
    expect((await failed(api.get("/api/me"))).code).toBe("request.unauthenticated");
    expect(sent).toHaveLength(3);
  });

  test("renewed in vain is told as well", async () => {
    const { api, sent } = client([unauthenticated, unauthenticated, json({}), unauthenticated]);
    expect((await failed(api.get("/api/me"))).code).toBe("request.unauthenticated");
    expect(sent).toHaveLength(4);
  });

  test("nobody who never signed in, and no sign-in, is renewed", async () => {
    const stranger = client([unauthenticated], "");
    await failed(stranger.api.get("/api/me"));
    expect(stranger.sent).toHaveLength(1);
    const wrong = client([unauthenticated]);
    await failed(wrong.api.post("/api/auth/login", {}));
    expect(wrong.sent).toHaveLength(1);
  });
});

describe("a proof of presence", () => {
  afterEach(() => setProver(async () => false));
  const needed = new ApiError({ status: 403, code: "proof.needed", detail: "", retryable: false });

  test("is asked for, and the call made once more", async () => {
    const prove = vi.fn(async () => true);
    setProver(prove);
    const call = vi.fn().mockRejectedValueOnce(needed).mockResolvedValueOnce("done");
    expect(await withProof(call)).toBe("done");
    expect(prove).toHaveBeenCalledTimes(1);
  });

  test("that is declined leaves the refusal", async () => {
    setProver(async () => false);
    const call = vi.fn().mockRejectedValue(needed);
    expect((await failed(withProof(call))).code).toBe("proof.needed");
    expect(call).toHaveBeenCalledTimes(1);
  });

  test("that did not help is not asked for again", async () => {
    const prove = vi.fn(async () => true);
    setProver(prove);
    await failed(withProof(() => Promise.reject(needed)));
    expect(prove).toHaveBeenCalledTimes(1);
  });

  test("is one dialog for all who wait, and anew for who comes later", async () => {
    let prove: (given: boolean) => void = () => undefined;
    const prover = vi.fn(() => new Promise<boolean>((resolve) => (prove = resolve)));
    setProver(prover);
    const calls = [1, 2, 3].map((n) => vi.fn().mockRejectedValueOnce(needed).mockResolvedValueOnce(n));
    const all = Promise.all(calls.map((call) => withProof(call)));
    await vi.waitFor(() => expect(prover).toHaveBeenCalled());
    prove(true);
    expect(await all).toEqual([1, 2, 3]);
    expect(prover).toHaveBeenCalledTimes(1);
    const later = withProof(vi.fn().mockRejectedValueOnce(needed).mockResolvedValueOnce(4));
    await vi.waitFor(() => expect(prover).toHaveBeenCalledTimes(2));
    prove(true);
    expect(await later).toBe(4);
  });

  test("has nothing to do with other refusals", async () => {
    const prove = vi.fn(async () => true);
    setProver(prove);
    const other = new ApiError({ status: 403, code: "request.forbidden", detail: "", retryable: false });
    await failed(withProof(() => Promise.reject(other)));
    expect(prove).not.toHaveBeenCalled();
  });
});

describe("exact numbers", () => {
  test("money that comes as a JSON number keeps every digit", () => {
    const text =
      '{"amount":10.50,"executionPrice": 0.1234567890123456789,"limitPrice":-1E+2,"version":3,"note":"\\"amount\\":5","logs":[{"executionPrice":9007199254740993}]}';
    expect(parseExact(text)).toEqual({
      amount: "10.50",
      executionPrice: "0.1234567890123456789",
      limitPrice: "-1E+2",
      version: 3,
      note: '"amount":5',
      logs: [{ executionPrice: "9007199254740993" }],
    });
    expect(parseExact('{"amount":null,"limitPrice":"1.5"}')).toEqual({ amount: null, limitPrice: "1.5" });
  });

  test("money that is sent as a JSON number is written digit by digit", () => {
    const body = { pair: 'a"b', amount: exact("0.1234567890123456789"), list: [exact("5"), undefined, null], gone: undefined, at: new Date(0) };
    expect(writeExact(body)).toBe(
      '{"pair":"a\\"b","amount":0.1234567890123456789,"list":[5,null,null],"at":"1970-01-01T00:00:00.000Z"}',
    );
  });

  test.each(["", "1e5", "01", ".5", "5.", "NaN", "1,5", "0x1", "1}", "- 1"])("%j is no number of a body", (text) => {
    expect(() => exact(text)).toThrow(RangeError);
  });
});

test("a query leaves out what is not asked", () => {
  expect(withQuery("/api/orders", { pair: "SOL-USDC", limit: 5, cursor: null, status: undefined })).toBe(
    "/api/orders?pair=SOL-USDC&limit=5",
  );
  expect(withQuery("/api/orders", {})).toBe("/api/orders");
});

test("a read is tried again only if the desk says that it may help, twice, with a pause", () => {
  const busy = new ApiError({ status: 503, code: "price.stale", detail: "", retryable: true, retryAfterS: 2 });
  const wrong = new ApiError({ status: 404, code: "order.unknown", detail: "", retryable: false });
  expect([0, 1, 2].map((failures) => again(failures, busy))).toEqual([true, true, false]);
  expect(again(0, wrong)).toBe(false);
  expect(again(0, new Error("a bug"))).toBe(false);
  expect(pause(0, busy)).toBe(2_000);
  expect(pause(1, wrong)).toBe(2_000);
  expect(pause(30, wrong)).toBe(10_000);
});
