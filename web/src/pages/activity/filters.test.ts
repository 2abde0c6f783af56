import { describe, expect, it } from "vitest";
import { filtersOf, flawOf, fromLocal, isAny, searchOf, toLocal } from "./filters";

const ID = "0199e0a4-1111-7222-8333-444455556666";

describe("filters", () => {
  it("asks for what the address names and nothing else", () => {
    const filters = filtersOf({ action: "session.", tab: "timeline", from: "2026-01-31T00:00:00.000Z" });
    expect(searchOf(filters, "42", 50)).toBe("action=session.&from=2026-01-31T00%3A00%3A00.000Z&cursor=42&limit=50");
    expect(searchOf(filtersOf({}), null, 50)).toBe("limit=50");
    expect([isAny(filters), isAny(filtersOf({ tab: "proof" }))]).toEqual([true, false]);
  });

  it("takes the id of an order for what rows call it", () => {
    expect(searchOf(filtersOf({ about: ID.toUpperCase() }), null, 1)).toBe(`about=order%3A${ID}&limit=1`);
    expect(searchOf(filtersOf({ about: `key:${ID}` }), null, 1)).toBe(`about=key%3A${ID}&limit=1`);
  });

  it("says what the server would refuse", () => {
    expect(flawOf("action", "A%")).not.toBeNull();
    expect(flawOf("action", "session_x.")).toBeNull();
    expect(flawOf("account", "me")).not.toBeNull();
    expect(flawOf("account", ID)).toBeNull();
    expect(flawOf("about", "x".repeat(201))).not.toBeNull();
    expect(flawOf("from", "yesterday")).not.toBeNull();
    expect(flawOf("to", "")).toBeNull();
  });

  it("brings a moment to the field and back", () => {
    const moment = "2026-01-31T23:59:58.000Z";
    expect(fromLocal(toLocal(moment))).toBe(moment);
    expect([toLocal(""), toLocal("never"), fromLocal("")]).toEqual(["", "", ""]);
  });
});
