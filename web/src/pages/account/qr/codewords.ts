/**
 * QR codes, first half: text → data and error-correction codewords in the order they are drawn.
 *
 * Byte mode, level M, versions 1 to 10 (213 bytes: an otpauth link has about 120).
 * ISO/IEC 18004:2015, §7.4 (bits), §7.5 and Annex A (Reed-Solomon over GF(256), 0x11D), table 9 (blocks).
 */

/** Level M by version: error-correction codewords of a block, blocks, data codewords of all. */
const LEVEL_M: readonly (readonly [ec: number, blocks: number, data: number])[] = [
  [10, 1, 16],
  [16, 1, 28],
  [26, 1, 44],
  [18, 2, 64],
  [24, 2, 86],
  [16, 4, 108],
  [18, 4, 124],
  [22, 4, 154],
  [22, 5, 182],
  [26, 5, 216],
];
const WIDE_COUNT = 10; // from this version on the length takes 16 bits
const BYTE_MODE = 0b0100;
const PADS = [0xec, 0x11] as const;

/** Return the smallest version that holds so many bytes, null past what is drawn here. */
export function versionFor(bytes: number): number | null {
  const at = LEVEL_M.findIndex(([, , data], index) => bytes + (index + 1 >= WIDE_COUNT ? 3 : 2) <= data);
  return at < 0 ? null : at + 1;
}

/** Return the data codewords of a text: mode, length, bytes, terminator, padding. */
export function dataCodewords(bytes: Uint8Array, version: number): Uint8Array {
  const [, , size] = level(version);
  const bits: number[] = [];
  const put = (value: number, width: number) => {
    for (let at = width - 1; at >= 0; at -= 1) bits.push((value >>> at) & 1);
  };
  put(BYTE_MODE, 4);
  put(bytes.length, version >= WIDE_COUNT ? 16 : 8);
  bytes.forEach((byte) => put(byte, 8));
  put(0, Math.min(4, size * 8 - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let at = 0; bits.length < size * 8; at ^= 1) put(PADS[at as 0 | 1], 8);
  return Uint8Array.from({ length: size }, (_, at) =>
    bits.slice(at * 8, at * 8 + 8).reduce((byte, bit) => (byte << 1) | bit, 0),
  );
}

/** Return all codewords of a symbol: blocks cut, each with its remainder, read column by column. */
export function codewords(data: Uint8Array, version: number): number[] {
  const [ec, count] = level(version);
  const short = Math.floor(data.length / count);
  const longer = data.length % count;
  const blocks: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at < count; at += 1) {
    const end = start + short + (at >= count - longer ? 1 : 0);
    blocks.push(data.slice(start, end));
    start = end;
  }
  const remainders = blocks.map((block) => remainder(block, ec));
  return [...columns(blocks, short + 1), ...columns(remainders, ec)];
}

/** Return the Reed-Solomon remainder of a block: its error-correction codewords. */
export function remainder(block: Uint8Array, length: number): Uint8Array {
  const divisor = generator(length);
  const left = [...block, ...new Array<number>(length).fill(0)];
  for (let at = 0; at < block.length; at += 1) {
    const lead = left[at] ?? 0;
    divisor.forEach((factor, term) => {
      left[at + term] = (left[at + term] ?? 0) ^ times(lead, factor);
    });
  }
  return Uint8Array.from(left.slice(block.length));
}

/** Multiply in GF(256) modulo x⁸+x⁴+x³+x²+1. */
export function times(one: number, other: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((other >>> bit) & 1) * one;
  }
  return product & 0xff;
}

/** Return the monic polynomial (x−2⁰)(x−2¹)…, highest power first. */
function generator(degree: number): number[] {
  let terms = [1];
  let root = 1;
  for (let power = 0; power < degree; power += 1) {
    const raised = [...terms, 0];
    terms.forEach((term, at) => {
      raised[at + 1] = (raised[at + 1] ?? 0) ^ times(term, root);
    });
    terms = raised;
    root = times(root, 2);
  }
  return terms;
}

function level(version: number): readonly [number, number, number] {
  const found = LEVEL_M[version - 1];
  if (!found) throw new RangeError(`version ${version} is not drawn here`);
  return found;
}

function columns(rows: readonly Uint8Array[], width: number): number[] {
  const read: number[] = [];
  for (let at = 0; at < width; at += 1)
    for (const row of rows) {
      const value = row[at];
      if (value !== undefined) read.push(value);
    }
  return read;
}
