/**
 * Amounts of the ticket: decimal text to base units and back, exactly.
 *
 * Everything that may end up in an order is counted here in BigInt; nothing is ever rounded up.
 */

const DECIMAL = /^(\d*)(?:\.(\d*))?$/;
const EXPONENT = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/i;
const CHARACTERS_MAX = 50; // as the server bounds them

export type Parsed =
  | { kind: "empty" }
  | { kind: "invalid" }
  | { kind: "finer"; decimals: number }
  | { kind: "zero" }
  | { kind: "amount"; raw: bigint; text: string };

/** Read what was typed; `text` is the amount in its shortest exact form. */
export function parse(typed: string, decimals: number): Parsed {
  const text = typed.trim();
  if (text === "") return { kind: "empty" };
  const found = DECIMAL.exec(text);
  if (found === null || text === "." || text.length > CHARACTERS_MAX) return { kind: "invalid" };
  const part = (found[2] ?? "").replace(/0+$/, "");
  if (part.length > decimals) return { kind: "finer", decimals };
  const raw = BigInt((found[1] || "0") + part.padEnd(decimals, "0"));
  return raw === 0n ? { kind: "zero" } : { kind: "amount", raw, text: fromRaw(raw, decimals) };
}

/** Return base units of a decimal the server sent, cut at `decimals`; null where it is none. */
export function toRaw(value: string | number | null | undefined, decimals: number): bigint | null {
  if (value === null || value === undefined) return null;
  const text = plain(value);
  const negative = text.startsWith("-");
  const found = DECIMAL.exec(negative ? text.slice(1) : text);
  if (found === null || text === "") return null;
  const part = (found[2] ?? "").slice(0, decimals).padEnd(decimals, "0");
  const raw = BigInt((found[1] || "0") + part);
  return negative ? -raw : raw;
}

/** Write base units as a decimal without trailing zeros. */
export function fromRaw(raw: bigint, decimals: number): string {
  const digits = (raw < 0n ? -raw : raw).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const part = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return (raw < 0n ? "-" : "") + whole + (part ? `.${part}` : "");
}

/** Write a JSON number without exponent; orders carry their amounts as JSON numbers. */
export function plain(value: string | number): string {
  const text = String(value);
  const found = EXPONENT.exec(text);
  if (found === null) return text;
  const [, sign, whole, part = "", exponent] = found;
  const point = whole!.length + Number(exponent);
  const digits = whole! + part;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const FINE = 18; // digits kept while multiplying and dividing

/** Return `a × b` in base units of `decimals`, rounded down. */
export function times(a: string, b: string, decimals: number): bigint | null {
  const [x, y] = [toRaw(a, FINE), toRaw(b, FINE)];
  if (x === null || y === null) return null;
  return (x * y * 10n ** BigInt(decimals)) / 10n ** BigInt(2 * FINE);
}

/** Return `a ÷ b` as a decimal of at most `decimals` digits, rounded down; null without a `b`. */
export function ratio(a: string, b: string, decimals: number): string | null {
  const [x, y] = [toRaw(a, FINE), toRaw(b, FINE)];
  if (x === null || y === null || y === 0n) return null;
  return fromRaw((x * 10n ** BigInt(decimals)) / y, decimals);
}
