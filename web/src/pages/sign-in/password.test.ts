/** Lengths as the desk counts them: code points of the NFKC form. */
import { expect, it } from "vitest";
import { lengthFault } from "./password";

it("counts code points, not UTF-16 units", () => {
  expect(lengthFault("😀".repeat(11))).toBe("1 more character");
  expect(lengthFault("😀".repeat(12))).toBeNull();
});
it("counts what NFKC makes of it", () => expect(lengthFault("ﬀ".repeat(6))).toBeNull());
it("has an upper bound", () => {
  expect(lengthFault("x".repeat(128))).toBeNull();
  expect(lengthFault("x".repeat(130))).toBe("2 characters too many");
});
