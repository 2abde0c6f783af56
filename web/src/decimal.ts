/**
 * Exact arithmetic on decimal strings by BigInt: money never becomes a JavaScript number.
 *
 * A value is `digits` × 10^−`scale`. Results are plain decimals without exponent or needless zeros.
 */

export interface Decimal {
  digits: bigint;
  /** How many of the digits stand behind the point; never negative. */
  scale: number;
}

/** Toward zero, toward −∞, or to the nearest with halves away from zero. */
export type Rounding = "truncate" | "floor" | "half";

const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const LENGTH_MAX = 200;
const POWER_MAX = 200;

/** Read a decimal; null if it is none, or longer than any amount is. */
export function parse(text: string): Decimal | null {
  const told = text.trim().replace("\u2212", "-");
  const found = told.length > LENGTH_MAX ? null : SHAPE.exec(told);
  if (!found) return null;
  const [, sign = "", whole = "", fraction = "", power = "0"] = found;
  if (whole === "" && fraction === "") return null;
  const exponent = Number(power);
  if (Math.abs(exponent) > POWER_MAX) return null;
  const digits = BigInt(`${whole}${fraction}`) * (sign === "-" ? -1n : 1n);
  const scale = fraction.length - exponent;
  return scale >= 0 ? { digits, scale } : { digits: digits * ten(-scale), scale: 0 };
}

/** Write a decimal plainly: no exponent, no zeros that say nothing, no "-0". */
export function plain({ digits, scale }: Decimal): string {
  const text = fixed({ digits, scale }, scale);
  return scale === 0 ? text : text.replace(/\.?0+$/, "").replace(/^-0$/, "0");
}

/** Write a decimal with exactly so many decimals. */
export function fixed(value: Decimal, decimals: number, rounding: Rounding = "truncate"): string {
  const { digits } = rescale(value, decimals, rounding);
  const text = abs(digits).toString().padStart(decimals + 1, "0");
  const cut = text.length - decimals;
  const sign = digits < 0n ? "-" : "";
  return decimals === 0 ? sign + text : `${sign}${text.slice(0, cut)}.${text.slice(cut)}`;
}

/** Return the value with exactly so many decimals. */
export function rescale(value: Decimal, decimals: number, rounding: Rounding): Decimal {
  const more = decimals - value.scale;
  if (more >= 0) return { digits: value.digits * ten(more), scale: decimals };
  return { digits: divided(value.digits, ten(-more), rounding), scale: decimals };
}

export function add(a: string, b: string): string {
  return both(a, b, (x, y) => x + y);
}

export function sub(a: string, b: string): string {
  return both(a, b, (x, y) => x - y);
}

export function mul(a: string, b: string): string {
  const [x, y] = [known(a), known(b)];
  return plain({ digits: x.digits * y.digits, scale: x.scale + y.scale });
}

/** Divide, to so many decimals; raises `RangeError` for a divisor of zero. */
export function div(a: string, b: string, decimals: number, rounding: Rounding = "floor"): string {
  const [x, y] = [known(a), known(b)];
  if (y.digits === 0n) throw new RangeError("division by zero");
  const more = decimals + y.scale - x.scale;
  const over = x.digits * (more > 0 ? ten(more) : 1n);
  const under = y.digits * (more < 0 ? ten(-more) : 1n);
  return plain({ digits: divided(over, under, rounding), scale: decimals });
}

/** Return a negative, zero or positive number as `a` is less than, equal to or more than `b`. */
export function compare(a: string, b: string): number {
  const { digits } = known(sub(a, b));
  return digits === 0n ? 0 : digits < 0n ? -1 : 1;
}

/** Round to at most so many decimals; needless zeros are left out. */
export function round(text: string, decimals: number, rounding: Rounding = "floor"): string {
  const value = known(text);
  return value.scale <= decimals ? plain(value) : plain(rescale(value, decimals, rounding));
}

export function negate(text: string): string {
  const { digits, scale } = known(text);
  return plain({ digits: -digits, scale });
}

export function isDecimal(text: string): boolean {
  return parse(text) !== null;
}

export function isZero(text: string): boolean {
  return known(text).digits === 0n;
}

export function isNegative(text: string): boolean {
  return known(text).digits < 0n;
}

export function min(a: string, b: string): string {
  return compare(a, b) <= 0 ? a : b;
}

export function max(a: string, b: string): string {
  return compare(a, b) >= 0 ? a : b;
}

function known(text: string): Decimal {
  const value = parse(text);
  if (value === null) throw new RangeError(`not a decimal: ${text.slice(0, 50)}`);
  return value;
}

function both(a: string, b: string, join: (x: bigint, y: bigint) => bigint): string {
  const [x, y] = [known(a), known(b)];
  const scale = Math.max(x.scale, y.scale);
  const same = (value: Decimal) => rescale(value, scale, "truncate").digits;
  return plain({ digits: join(same(x), same(y)), scale });
}

function divided(over: bigint, under: bigint, rounding: Rounding): bigint {
  const quotient = over / under; // toward zero
  const rest = over % under;
  if (rest === 0n || rounding === "truncate") return quotient;
  const negative = over < 0n !== under < 0n;
  if (rounding === "floor") return negative ? quotient - 1n : quotient;
  const away = 2n * abs(rest) >= abs(under);
  return away ? quotient + (negative ? -1n : 1n) : quotient;
}

function abs(digits: bigint): bigint {
  return digits < 0n ? -digits : digits;
}

function ten(power: number): bigint {
  return 10n ** BigInt(power);
}
