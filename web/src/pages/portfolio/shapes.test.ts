import { describe, expect, it } from "vitest";
import { placeOf, venuesOf } from "./shapes";

describe("where legs traded", () => {
  it("is told with the kind of each pool, where it is known", () => {
    expect(placeOf({ venue: "raydium > meteora", kind: "CLMM > DLMM" })).toBe("raydium CLMM > meteora DLMM");
    expect(placeOf({ venue: "raydium > meteora", kind: "" })).toBe("raydium > meteora");
    expect(placeOf({ venue: "paper", kind: "" })).toBe("paper");
  });

  it("names each venue once", () => {
    expect(venuesOf(["raydium", "meteora > raydium", "raydium > raydium"])).toEqual(["raydium", "meteora"]);
    expect(venuesOf([])).toEqual([]);
  });
});
