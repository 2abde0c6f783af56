/**
 * QR codes, second half: codewords → a square of dark and light modules.
 *
 * ISO/IEC 18004:2015, §6.3 (patterns), §7.7 (placement), §7.8 (masks and their penalties), §7.9 (format), §7.10 (version).
 */
import { codewords, dataCodewords, versionFor } from "./codewords";

/** Dark is true; `modules[y][x]`. */
export type Symbol = { version: number; mask: number; modules: readonly (readonly boolean[])[] };

/** Rows and columns of alignment patterns by version, table E.1. */
const ALIGNED: readonly (readonly number[])[] = [
  [],
  [6, 18],
  [6, 22],
  [6, 26],
  [6, 30],
  [6, 34],
  [6, 22, 38],
  [6, 24, 42],
  [6, 26, 46],
  [6, 28, 50],
];
const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];
const LEVEL_M_BITS = 0;

/** Return the QR code of a text, null when it is too long for one. */
export function qr(text: string): Symbol | null {
  const bytes = new TextEncoder().encode(text);
  const version = versionFor(bytes.length);
  if (version === null) return null;
  const grid = new Grid(version);
  grid.patterns();
  grid.place(codewords(dataCodewords(bytes, version), version));
  const tried = MASKS.map((_, mask) => grid.masked(mask));
  const least = tried.reduce((best, one) => (penalty(one.modules) < penalty(best.modules) ? one : best));
  return { version, ...least };
}

/** Return the 15 format bits of level M and a mask: BCH(15,5), generator 0x537, masked with 0x5412. */
export function formatBits(mask: number): number {
  const data = (LEVEL_M_BITS << 3) | mask;
  return ((data << 10) | bch(data, 10, 0x537)) ^ 0x5412;
}

/** Return the 18 version bits, from version 7 on: BCH(18,6), generator 0x1F25. */
export function versionBits(version: number): number {
  return (version << 12) | bch(version, 12, 0x1f25);
}

function bch(data: number, width: number, divisor: number): number {
  let rest = data;
  for (let at = 0; at < width; at += 1) rest = (rest << 1) ^ ((rest >>> (width - 1)) * divisor);
  return rest;
}

class Grid {
  readonly size: number;
  private readonly dark: boolean[][];
  private readonly fixed: boolean[][];

  constructor(private readonly version: number) {
    this.size = version * 4 + 17;
    const blank = () => Array.from({ length: this.size }, () => new Array<boolean>(this.size).fill(false));
    this.dark = blank();
    this.fixed = blank();
  }

  patterns(): void {
    for (let at = 0; at < this.size; at += 1) {
      this.fix(6, at, at % 2 === 0);
      this.fix(at, 6, at % 2 === 0);
    }
    const far = this.size - 4;
    for (const [x, y] of [[3, 3], [far, 3], [3, far]] as const) this.rings(x, y, 4);
    const rows = ALIGNED[this.version - 1] ?? [];
    const last = rows.at(-1);
    for (const x of rows)
      for (const y of rows) {
        const atFinder = (x === 6 && (y === 6 || y === last)) || (y === 6 && x === last);
        if (!atFinder) this.rings(x, y, 2);
      }
    this.format(this.dark, 0, true);
    if (this.version >= 7) this.versions();
  }

  /** Fill what is left, two columns at a time from the right, up and down in turn. */
  place(words: readonly number[]): void {
    let bit = 0;
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      for (let step = 0; step < this.size; step += 1) {
        const upward = ((right + 1) & 2) === 0;
        const y = upward ? this.size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (this.fixed[y]?.[x] || bit >= words.length * 8) continue;
          this.dark[y]![x] = (((words[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1) === 1;
          bit += 1;
        }
      }
    }
  }

  masked(mask: number): { mask: number; modules: boolean[][] } {
    const turned = MASKS[mask]!;
    const modules = this.dark.map((row, y) => row.map((dark, x) => dark !== (!this.fixed[y]![x] && turned(x, y))));
    this.format(modules, mask, false);
    return { mask, modules };
  }

  private fix(x: number, y: number, dark: boolean): void {
    if (x < 0 || y < 0 || x >= this.size || y >= this.size) return;
    this.dark[y]![x] = dark;
    this.fixed[y]![x] = true;
  }

  /** Draw squares in squares around a center: a finder with its border (4), an alignment pattern (2). */
  private rings(x: number, y: number, reach: number): void {
    for (let dy = -reach; dy <= reach; dy += 1)
      for (let dx = -reach; dx <= reach; dx += 1) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        this.fix(x + dx, y + dy, reach === 4 ? ring !== 2 && ring !== 4 : ring !== 1);
      }
  }

  private format(into: boolean[][], mask: number, reserve: boolean): void {
    const bits = formatBits(mask);
    const put = (x: number, y: number, at: number) => {
      into[y]![x] = ((bits >>> at) & 1) === 1;
      if (reserve) this.fixed[y]![x] = true;
    };
    for (let at = 0; at < 15; at += 1) {
      const [x, y] = firstCopy(at);
      put(x, y, at);
      if (at < 8) put(this.size - 1 - at, 8, at);
      else put(8, this.size - 15 + at, at);
    }
    into[this.size - 8]![8] = true;
    if (reserve) this.fixed[this.size - 8]![8] = true;
  }

  private versions(): void {
    const bits = versionBits(this.version);
    for (let at = 0; at < 18; at += 1) {
      const dark = ((bits >>> at) & 1) === 1;
      const along = this.size - 11 + (at % 3);
      const across = Math.floor(at / 3);
      this.fix(along, across, dark);
      this.fix(across, along, dark);
    }
  }
}

/** Where bit `at` of the format lies around the top left finder. */
function firstCopy(at: number): [x: number, y: number] {
  if (at < 6) return [8, at];
  if (at === 6) return [8, 7];
  if (at === 7) return [8, 8];
  if (at === 8) return [7, 8];
  return [14 - at, 8];
}

const FINDER_LIKE = ["10111010000", "00001011101"];

/** Return how hard a symbol is to read, table 11: runs, blocks, what looks like a finder, imbalance. */
export function penalty(modules: readonly (readonly boolean[])[]): number {
  const size = modules.length;
  const text = modules.map((row) => row.map((dark) => (dark ? "1" : "0")).join(""));
  const turned = text.map((_, x) => text.map((row) => row[x]).join(""));
  let score = 0;
  for (const line of [...text, ...turned]) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) score += run.length - 2;
    for (let at = 0; at + 11 <= size; at += 1) if (FINDER_LIKE.includes(line.slice(at, at + 11))) score += 40;
  }
  for (let y = 0; y + 1 < size; y += 1)
    for (let x = 0; x + 1 < size; x += 1) {
      const one = modules[y]![x];
      if (one === modules[y]![x + 1] && one === modules[y + 1]![x] && one === modules[y + 1]![x + 1]) score += 3;
    }
  const dark = text.join("").replaceAll("0", "").length;
  return score + 10 * Math.floor(Math.abs(dark * 20 - size * size * 10) / (size * size));
}
