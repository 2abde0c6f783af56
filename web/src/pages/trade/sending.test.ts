import { describe, expect, it } from "vitest";
import { ApiError } from "../../api/client";
import { answered, mustConfirm, pauseMs } from "./sending";

function error(status: number, code: string, body: unknown = null): ApiError {
  return new ApiError({ status, code, detail: "", retryable: false, body });
}

describe("an answer to a placed order", () => {
  it.each([
    [error(422, "funds.insufficient"), "refused"],
    [error(503, "price.stale"), "refused"],
    [error(429, "rate.exceeded"), "refused"],
    [error(403, "permission.missing"), "refused"],
    [error(409, "idempotency.conflict"), "refused"],
    [error(0, "network.timeout"), "unknown"],
    [error(0, "network.unreachable"), "unknown"],
    [error(502, "response.malformed"), "unknown"],
    [error(500, "desk.bug"), "unknown"],
    [error(503, "database.unavailable"), "unknown"],
    [new DOMException("aborted", "AbortError"), "unknown"],
    [new TypeError("anything"), "unknown"],
  ])("%s is %s", (problem, kind) => expect(answered(problem).kind).toBe(kind));

  it("with a new quote brings that quote", () => {
    const preview = { quoteId: "new" };
    const answer = answered(error(409, "quote.expired", { preview }));
    expect(answer).toEqual({ kind: "moved", preview });
    expect(answered(error(409, "quote.expired")).kind).toBe("refused");
  });
});

describe("asking again", () => {
  it("waits longer each time, and never stops", () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 1000].map(pauseMs);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits.at(-1)).toBe(15_000);
  });
});

describe("the question before sending", () => {
  const facts = { below: "1000", orderUsd: "999.99", impact: "small" as const };
  it.each([
    [facts, false],
    [{ ...facts, orderUsd: "1000" }, false],
    [{ ...facts, orderUsd: "1000.01" }, true],
    [{ ...facts, below: null }, true],
    [{ ...facts, orderUsd: null }, true],
    [{ ...facts, impact: "amber" as const }, true],
    [{ ...facts, impact: "red" as const }, true],
  ])("%j: %s", (told, asks) => expect(mustConfirm(told)).toBe(asks));
});
