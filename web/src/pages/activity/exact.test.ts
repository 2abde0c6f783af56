import { describe, expect, it } from "vitest";
import { differences, fromPlain, Num, readExact, shown } from "./exact";

describe("exact JSON", () => {
  it("keeps numbers as they were written", () => {
    const told = readExact('{"a":10.50,"b":-0,"c":1E-7,"d":123456789012345678901234567890,"e":[1,2.0]}');
    expect(shown(told)).toBe("a: 10.50; b: -0; c: 1E-7; d: 123456789012345678901234567890; e: 1, 2.0");
  });

  it("takes no text for a number, whatever is in it", () => {
    const told = readExact(String.raw`{"a":"10.50","b":"say \"1\" or \\","1":"x","c":"]5"}`) as Record<string, unknown>;
    expect(told).toEqual({ a: "10.50", b: 'say "1" or \\', 1: "x", c: "]5" });
  });

  it("throws for what is no JSON", () => {
    for (const text of ["", "{", '{"a":01}', "[1 2]"]) expect(() => readExact(text)).toThrow(SyntaxError);
  });

  it("tells what differs, field by field", () => {
    const [before, after] = [readExact('{"a":1.0,"b":2,"gone":true}'), readExact('{"a":1.00,"b":2,"new":null}')];
    expect(differences(before, after)).toEqual([
      { name: "a", before: "1.0", after: "1.00" },
      { name: "gone", before: "yes", after: "none" },
    ]);
    expect(differences(null, readExact('{"b":[1]}'))).toEqual([{ name: "b", before: "none", after: "1" }]);
    expect(differences("x", new Num("5"))).toEqual([{ name: "", before: "x", after: "5" }]);
    expect(differences(null, null)).toEqual([]);
  });

  it("takes over values that were parsed already", () => {
    expect(shown(fromPlain({ a: [1, "x", false, null], b: undefined }))).toBe("a: 1, x, no, none; b: none");
  });
});
