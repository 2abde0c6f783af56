import { expect, test } from "vitest";
import { csv } from "./csv";

test("heads of all rows, empty where a row has none", () => {
  expect(csv([{ a: "1" }, { b: null, a: 2 }])).toBe("a,b\r\n1,\r\n2,\r\n");
});

test("commas, quotes and line breaks are quoted", () => {
  expect(csv([{ a: 'x,"y"\nz' }])).toBe('a\r\n"x,""y""\nz"\r\n');
});

test("a spreadsheet runs nothing of it, and numbers stay numbers", () => {
  const rows = ["=1+1", "@x", "-cmd", "+x", "-1.50", "+2", "-1e-9"].map((a) => ({ a }));
  expect(csv(rows)).toBe("a\r\n'=1+1\r\n'@x\r\n'-cmd\r\n'+x\r\n-1.50\r\n+2\r\n-1e-9\r\n");
});

test("what is not flat is JSON", () => {
  expect(csv([{ a: [1, 2], b: true }])).toBe('a,b\r\n"[1,2]",true\r\n');
});
