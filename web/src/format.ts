/**
 * How numbers, times and names look, everywhere on the page. Numbers come as decimal strings and
 * are never a JavaScript number on the way. "—" is unknown, "None" is that there is none, "∞" is
 * without bound: three different things.
 */
import { type Decimal, fixed, parse, plain, type Rounding } from "./decimal";

export { add, compare, div, isNegative, isZero, max, min, mul, negate, round, sub } from "./decimal";

export const UNKNOWN = "—";
export const NONE = "None";
export const INFINITE = "∞";
const MINUS = "\u2212";
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const TINY_DIGITS = 3;
const PRICE_DIGITS = 6;
const ZEROS_SPELLED = 3;

type Text = string | null | undefined;

/** An amount, rounded down so that it never shows more than there is; grouped by thousands. */
export function money(text: Text, decimals?: number): string {
  const value = read(text);
  if (value === null) return UNKNOWN;
  return decimals === undefined
    ? shown(value, Math.min(value.scale, 8), "floor", true)
    : shown(value, decimals, "floor", false);
}

/** US dollars: two decimals, rounded down; less than a cent is told by its digits. */
export function usd(text: Text): string {
  const told = money(text, 2);
  if (told === UNKNOWN) return told;
  return told.startsWith(MINUS) ? `${MINUS}$${told.slice(1)}` : `$${told}`;
}

/** A price: as many decimals as the market's tick has, else six digits; to the nearest. */
export function price(text: Text, tick?: string): string {
  const value = read(text);
  if (value === null) return UNKNOWN;
  const finest = tick === undefined ? null : parse(tick);
  if (finest !== null) return shown(value, Math.min(finest.scale, 18), "half", false);
  if (value.digits === 0n) return "0.00";
  const zeros = zerosBehindPoint(value);
  if (zeros > ZEROS_SPELLED) return tiny(value, PRICE_DIGITS);
  return shown(value, Math.max(2, PRICE_DIGITS - wholeDigits(value) + zeros), "half", false);
}

/** A size: rounded down, fewer decimals the larger it is, without needless zeros. */
export function size(text: Text): string {
  const value = read(text);
  if (value === null) return UNKNOWN;
  const decimals = Math.min(6, Math.max(2, 8 - wholeDigits(value)));
  return shown(value, decimals, "floor", true);
}

/** Basis points as per cent with two decimals: "125" → "1.25%". */
export function pct(points: string | number | null | undefined): string {
  const value = read(typeof points === "number" ? String(points) : points);
  if (value === null) return UNKNOWN;
  return `${shown({ digits: value.digits, scale: value.scale + 2 }, 2, "half", false)}%`;
}

/** Basis points with one decimal: "12.5 bps". */
export function bps(text: string | number | null | undefined): string {
  const value = read(typeof text === "number" ? String(text) : text);
  return value === null ? UNKNOWN : `${shown(value, 1, "half", true)} bps`;
}

/** The whole number as it is, for titles and for copying: every digit, a plain minus. */
export function full(text: Text): string {
  const value = read(text);
  return value === null ? UNKNOWN : plain(value);
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, in milliseconds: "0.4 s", "42 s", "5 min", "3 h", "4 d". */
export function age(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return UNKNOWN;
  const past = Math.max(0, ms); // clocks differ by a little
  if (past < 10 * SECOND) return `${(Math.floor(past / 100) / 10).toFixed(1)} s`;
  if (past < MINUTE) return `${Math.floor(past / SECOND)} s`;
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min`;
  if (past < 2 * DAY) return `${Math.floor(past / HOUR)} h`;
  return `${Math.floor(past / DAY)} d`;
}

/** The time of day here: "14:05:09". */
export function time(iso: string | number | null | undefined): string {
  const at = moment(iso);
  return at === null ? UNKNOWN : [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
}

/** Day and time here: "2026-01-31 14:05:09". */
export function dateTime(iso: string | number | null | undefined): string {
  const at = moment(iso);
  if (at === null) return UNKNOWN;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time(iso)}`;
}

/** Day and time in UTC, for titles: "2026-01-31 14:05:09.123 UTC". */
export function utc(iso: string | number | null | undefined): string {
  const at = moment(iso);
  return at === null ? UNKNOWN : at.toISOString().replace("T", " ").replace("Z", " UTC");
}

/** An address or a transaction, short: first and last characters. */
export function shortAddress(address: Text): string {
  if (!address) return UNKNOWN;
  const head = address.startsWith("0x") ? 6 : 4;
  return address.length <= head + 5 ? address : `${address.slice(0, head)}…${address.slice(-4)}`;
}

function read(text: Text): Decimal | null {
  return text === null || text === undefined ? null : parse(text);
}

function shown(value: Decimal, decimals: number, rounding: Rounding, trim: boolean): string {
  if (value.digits !== 0n && isBelow(value, decimals)) return tiny(value);
  const told = fixed(value, decimals, rounding);
  return grouped(trim && decimals > 0 ? told.replace(/\.?0+$/, "") : told);
}

/** Whether a value is smaller than one of the last decimal shown. */
function isBelow({ digits, scale }: Decimal, decimals: number): boolean {
  return (digits < 0n ? -digits : digits).toString().length <= scale - decimals;
}

/** A number below what would be shown: its first digits, the zeros before them counted. */
function tiny({ digits, scale }: Decimal, kept = TINY_DIGITS): string {
  const negative = digits < 0n;
  const told = (negative ? -digits : digits).toString();
  const zeros = scale - told.length;
  const first = told.slice(0, kept).replace(/0+$/, "");
  const before = zeros > ZEROS_SPELLED ? `0${subscript(zeros)}` : "0".repeat(zeros);
  return `${negative ? MINUS : ""}0.${before}${first}`;
}

function subscript(count: number): string {
  return [...String(count)].map((digit) => SUBSCRIPTS[Number(digit)]).join("");
}

function grouped(text: string): string {
  const [whole = "", fraction] = text.replace("-", "").split(".");
  const commas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const told = fraction === undefined ? commas : `${commas}.${fraction}`;
  return text.startsWith("-") ? MINUS + told : told;
}

function wholeDigits({ digits, scale }: Decimal): number {
  return Math.max(0, (digits < 0n ? -digits : digits).toString().length - scale);
}

/** Zeros between the point and the first digit of what is not zero. */
function zerosBehindPoint({ digits, scale }: Decimal): number {
  return Math.max(0, scale - (digits < 0n ? -digits : digits).toString().length);
}

function moment(iso: string | number | null | undefined): Date | null {
  if (iso === null || iso === undefined || iso === "") return null;
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? null : at;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
