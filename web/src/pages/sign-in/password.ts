/** What a password must be, as access/passwords/rules.py has it: said before it is sent. The desk alone decides. Pure. */
export const CHARS_MIN = 12;
export const CHARS_MAX = 128;

export const RULES = [
  `${CHARS_MIN} to ${CHARS_MAX} characters. Digits and symbols are not asked for.`,
  "Well-known words and passwords, your own name, numbers and runs of keys (abcd, 7654, qwert) count as one character each.",
  "A few words nobody would guess, one after the other, do well.",
] as const;

/** Return why a password is refused for its length, null if it is not. */
export function lengthFault(password: string): string | null {
  const length = [...password.normalize("NFKC")].length;
  if (length < CHARS_MIN) return `${CHARS_MIN - length} more ${CHARS_MIN - length === 1 ? "character" : "characters"}`;
  return length > CHARS_MAX ? `${length - CHARS_MAX} characters too many` : null;
}
