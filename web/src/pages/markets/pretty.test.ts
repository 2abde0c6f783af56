import { expect, test } from "vitest";
import { pretty } from "./pretty";

test("digits stay as they came, which JSON.parse would round", () => {
  const text = '{"p":1.000000000000000000001,"n":12345678901234567890}';
  expect(pretty(text)).toBe('{\n  "p": 1.000000000000000000001,\n  "n": 12345678901234567890\n}');
});

test("what stands in strings is left alone", () => {
  expect(pretty('["a:{,}\\" [", {}, [ ]]')).toBe('[\n  "a:{,}\\" [",\n  {},\n  []\n]');
});

test("what is not JSON stays as it is", () => {
  for (const text of ["hello", "{broken", "", "<b>x</b>"]) expect(pretty(text)).toBe(text);
});
