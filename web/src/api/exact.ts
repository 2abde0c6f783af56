/**
 * JSON without loss. Three fields of orders are JSON numbers in the contract ("exactly as decimal
 * literals", docs/reference); a JavaScript number would round them, so they are read as strings and
 * written as the digits they are. All other money is a string in the contract already.
 */

const LITERALS = /"(amount|executionPrice|limitPrice)"(\s*:\s*)(-?\d[\d.eE+-]*)/g;

/** Parse JSON; `amount`, `executionPrice` and `limitPrice` come as decimal strings. */
export function parseExact(text: string): unknown {
  // Inside of a JSON string every quote has a backslash before it, so only real fields match.
  return JSON.parse(text.replace(LITERALS, '"$1"$2"$3"'));
}

class Exact {
  constructor(readonly digits: string) {}
}

const NUMBER = /^-?(0|[1-9]\d{0,40})(\.\d{1,40})?$/;

/**
 * Return a decimal that a request body holds as a JSON number, digit by digit.
 *
 * It says to be a `number` because the types of request bodies do; only `writeExact` may touch it.
 */
export function exact(text: string): number {
  if (!NUMBER.test(text)) throw new RangeError(`not a plain decimal: ${text.slice(0, 50)}`);
  return new Exact(text) as unknown as number;
}

/** Write JSON in which `exact` decimals are number literals. */
export function writeExact(value: unknown): string {
  if (value instanceof Exact) return value.digits;
  if (Array.isArray(value)) return `[${value.map((one) => writeExact(one ?? null)).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value ?? null);
  if ("toJSON" in value) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, held]) => held !== undefined);
  return `{${fields.map(([name, held]) => `${JSON.stringify(name)}:${writeExact(held)}`).join(",")}}`;
}
