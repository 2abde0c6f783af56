/** The encoder against worked examples of the standard, and a reader written here that knows nothing of it but the layout. */
import { describe, expect, it } from "vitest";
import { dataCodewords, remainder, times, versionFor } from "./codewords";
import { formatBits, penalty, qr, versionBits } from "./matrix";

const LINK =
  "otpauth://totp/QuantDesk:ann%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=QuantDesk";

describe("worked examples", () => {
  it("computes the error correction of version 1-M", () => {
    // ISO/IEC 18004 Annex I, "01234567" as 1-M.
    const data = Uint8Array.from([0x10, 0x20, 0x0c, 0x56, 0x61, 0x80, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11]);
    expect([...remainder(data, 10)]).toEqual([0xa5, 0x24, 0xd4, 0xc1, 0xed, 0x36, 0xc7, 0x87, 0x2c, 0x55]);
  });

  it("multiplies in the field", () => {
    expect(times(2, 0x80)).toBe(0x1d);
    expect(times(0x53, 1)).toBe(0x53);
    expect(times(0, 0x99)).toBe(0);
  });

  it("writes the format and version bits of annexes C and D", () => {
    expect(formatBits(0b101)).toBe(0b100000011001110);
    expect(formatBits(0)).toBe(0b101010000010010);
    expect(versionBits(7)).toBe(0b000111110010010100);
  });

  it("pads data with its two bytes in turn", () => {
    expect([...dataCodewords(new TextEncoder().encode("A"), 1)]).toEqual([
      0x40, 0x14, 0x10, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec,
    ]);
  });
});

describe("what is drawn can be read", () => {
  for (const text of ["A", "ä€😀", LINK, "x".repeat(60), "x".repeat(100), "x".repeat(150), "x".repeat(180), "x".repeat(213)])
    it(`${text.slice(0, 12)}… (${text.length})`, () => {
      const symbol = qr(text)!;
      expect(read(symbol.modules)).toEqual({ text, mask: symbol.mask });
    });

  it("says that a text is too long", () => {
    expect(versionFor(213)).toBe(10);
    expect(qr("x".repeat(214))).toBeNull();
  });

  it("takes the mask that is easiest to read", () => {
    expect(penalty([[true, true], [true, true]])).toBeGreaterThan(penalty([[true, false], [false, true]]));
  });
});

describe("what readers look for", () => {
  const cut = (text: string, x: number, y: number, size: number) =>
    qr(text)!.modules.slice(y, y + size).map((row) => row.slice(x, x + size).map((dark) => (dark ? "#" : ".")).join(""));
  const FINDER = ["#######.", "#.....#.", "#.###.#.", "#.###.#.", "#.###.#.", "#.....#.", "#######.", "........"];

  it("draws a finder with its border in three corners", () => {
    const mirrored = FINDER.map((row) => [...row].reverse().join(""));
    const size = 25; // version 2
    expect(cut("x".repeat(20), 0, 0, 8)).toEqual(FINDER);
    expect(cut("x".repeat(20), size - 8, 0, 8)).toEqual(mirrored);
    expect(cut("x".repeat(20), 0, size - 8, 8)).toEqual([...FINDER].reverse());
  });
  it("draws an alignment pattern around (18, 18) of version 2 and in the middle of version 7", () => {
    const aligned = ["#####", "#...#", "#.#.#", "#...#", "#####"];
    expect(cut("x".repeat(20), 16, 16, 5)).toEqual(aligned);
    expect(cut("x".repeat(120), 20, 20, 5)).toEqual(aligned);
  });
  it("draws timing between the finders", () => {
    const [row] = cut("x".repeat(20), 8, 6, 9);
    expect(row).toBe("#.#.#.#.#");
  });
});

/** Blocks of level M by version: [blocks, data codewords], error-correction codewords. */
const BLOCKS: Record<number, { of: [number, number][]; ec: number }> = {
  1: { of: [[1, 16]], ec: 10 },
  2: { of: [[1, 28]], ec: 16 },
  4: { of: [[2, 32]], ec: 18 },
  5: { of: [[2, 43]], ec: 24 },
  6: { of: [[4, 27]], ec: 16 },
  7: { of: [[4, 31]], ec: 18 },
  8: { of: [[2, 38], [2, 39]], ec: 22 },
  9: { of: [[3, 36], [2, 37]], ec: 22 },
  10: { of: [[4, 43], [1, 44]], ec: 26 },
};

/** Read a symbol without damage: mask from the format, codewords by the zigzag, every syndrome zero, bytes. */
function read(modules: readonly (readonly boolean[])[]): { text: string; mask: number } {
  const size = modules.length;
  const version = (size - 17) / 4;
  const at = (x: number, y: number) => (modules[y]?.[x] ? 1 : 0);
  const mask = ((at(2, 8) << 2) | (at(3, 8) << 1) | at(4, 8)) ^ 0b101;
  expect((at(0, 8) << 1) | at(1, 8)).toBe(0b10); // level M is 00, under the mask 10
  expect(at(8, size - 8)).toBe(1);
  const bits: number[] = [];
  const columns = [];
  for (let x = size - 1; x > 0; x -= 2) columns.push(x > 6 ? x : x - 1);
  columns.filter((x) => x > 0).forEach((right, turn) => {
    for (let step = 0; step < size; step += 1) {
      const y = turn % 2 === 0 ? size - 1 - step : step;
      for (const x of [right, right - 1]) if (!isPattern(x, y, size, version)) bits.push(at(x, y) ^ inverted(mask, x, y));
    }
  });
  const words: number[] = [];
  for (let bit = 0; bit + 8 <= bits.length; bit += 8) words.push(parseInt(bits.slice(bit, bit + 8).join(""), 2));
  return { text: spelled(joined(words, version), version), mask };
}

function isPattern(x: number, y: number, size: number, version: number): boolean {
  const corner = (x < 9 && y < 9) || (x >= size - 8 && y < 9) || (x < 9 && y >= size - 8);
  const versions = version >= 7 && ((x >= size - 11 && y < 6) || (y >= size - 11 && x < 6));
  const centers = version === 1 ? [] : version < 7 ? [6, size - 7] : [6, (size - 1) / 2, size - 7];
  const aligned = centers.some((cx) =>
    centers.some((cy) => {
      const finder = (cx === 6 && cy !== (size - 1) / 2 && (cy === 6 || cy === size - 7)) || (cy === 6 && cx === size - 7);
      return !finder && Math.abs(x - cx) <= 2 && Math.abs(y - cy) <= 2;
    }),
  );
  return corner || versions || aligned || x === 6 || y === 6;
}

function inverted(mask: number, j: number, i: number): number {
  const rules = [
    (i + j) % 2, i % 2, j % 3, (i + j) % 3,
    (Math.floor(i / 2) + Math.floor(j / 3)) % 2,
    ((i * j) % 2) + ((i * j) % 3),
    (((i * j) % 2) + ((i * j) % 3)) % 2,
    (((i * j) % 3) + ((i + j) % 2)) % 2,
  ];
  return rules[mask] === 0 ? 1 : 0;
}

function joined(words: number[], version: number): number[] {
  const { of, ec } = BLOCKS[version]!;
  const lengths = of.flatMap(([count, data]) => new Array<number>(count).fill(data));
  const blocks = lengths.map(() => [] as number[]);
  let next = 0;
  for (let row = 0; row < Math.max(...lengths); row += 1)
    lengths.forEach((length, block) => row < length && blocks[block]!.push(words[next++]!));
  const data = blocks.flatMap((block) => [...block]);
  for (let row = 0; row < ec; row += 1) blocks.forEach((block) => block.push(words[next++]!));
  for (const block of blocks)
    for (let power = 0, root = 1; power < ec; power += 1, root = times(root, 2))
      expect(block.reduce((sum, word) => times(sum, root) ^ word, 0)).toBe(0);
  return data;
}

function spelled(data: number[], version: number): string {
  const bits = data.map((word) => word.toString(2).padStart(8, "0")).join("");
  expect(bits.slice(0, 4)).toBe("0100");
  const wide = version >= 10 ? 16 : 8;
  const length = parseInt(bits.slice(4, 4 + wide), 2);
  const bytes = Uint8Array.from({ length }, (_, at) => parseInt(bits.slice(4 + wide + at * 8, 12 + wide + at * 8), 2));
  return new TextDecoder().decode(bytes);
}
