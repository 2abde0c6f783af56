/** How long to wait before the next try; pure. Grows from 0.5 s to 15 s, spread by chance, for ever. */

export const WAIT_MIN_MS = 500;
export const WAIT_MAX_MS = 15_000;

/** Return the wait after `tries` in vain (0 is the first); `chance` is from 0 to below 1. */
export function waitMs(tries: number, chance: number): number {
  const most = Math.min(WAIT_MAX_MS, 2 * WAIT_MIN_MS * 2 ** Math.min(tries, 10));
  return Math.round(WAIT_MIN_MS + (most - WAIT_MIN_MS) * chance);
}

/** How many tries a close code counts for at least: whoever is overloaded wants us later. */
export const TRIES_AT_LEAST: Readonly<Record<number, number>> = {
  1008: 5, // we said too much
  1013: 3, // too many clients, or we read too slowly
  4401: 2, // signed in again, and sent away again
};
