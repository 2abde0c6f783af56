"""Tries to sign in: how many, and how long whoever failed too often waits. Pure.

A try counts from the moment it is allowed until it succeeds, so that guesses made at the same time
are counted too. Past the bound comes a lock, each one twice as long as the one before.
"""

from typing import Final

import msgspec

_MINUTE_MS: Final = 60_000
FORGIVEN_MS: Final = 24 * 60 * _MINUTE_MS
"""Without a try for so long, all is forgotten."""


class Tries(msgspec.Struct, frozen=True):
    """Tries that no success followed, oldest first, and how often they led to a lock."""

    tries_ms: tuple[int, ...] = ()
    locks: int = 0
    until_ms: int = 0


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """So many tries in any window; past it a lock of that length, doubled up to the longest."""

    tries: int
    window_ms: int
    lock_ms: int
    longest_ms: int


OF_ACCOUNT: Final = Bound(
    tries=10, window_ms=15 * _MINUTE_MS, lock_ms=15 * _MINUTE_MS, longest_ms=240 * _MINUTE_MS
)
"""Of one account's name from one network."""

OF_NETWORK: Final = Bound(
    tries=100, window_ms=60 * _MINUTE_MS, lock_ms=15 * _MINUTE_MS, longest_ms=240 * _MINUTE_MS
)
"""Of one network, whatever the names: lists of stolen passwords are tried like that."""


def judged(tries: Tries, bound: Bound, *, now_ms: int) -> tuple[Tries, int]:
    """Return the tries as they stand now, and the milliseconds to wait before another: 0 is none.

    Nothing is counted yet; a bound that is reached becomes a lock.
    """
    if now_ms < tries.until_ms:
        return tries, tries.until_ms - now_ms
    recent = tuple(at for at in tries.tries_ms if at > now_ms - bound.window_ms)
    last_ms = max(tries.tries_ms[-1] if tries.tries_ms else 0, tries.until_ms)
    locks = 0 if now_ms - last_ms > FORGIVEN_MS else tries.locks
    if len(recent) < bound.tries:
        return Tries(recent, locks, tries.until_ms), 0
    length_ms = min(bound.lock_ms * 2 ** min(locks, 16), bound.longest_ms)
    until_ms = recent[-1] + length_ms
    if until_ms <= now_ms:
        return Tries((), locks + 1, until_ms), 0
    return Tries((), locks + 1, until_ms), until_ms - now_ms


def counted(tries: Tries, *, now_ms: int) -> Tries:
    """Return the tries with one more."""
    return msgspec.structs.replace(tries, tries_ms=(*tries.tries_ms, now_ms))


def given_back(tries: Tries) -> Tries:
    """Return the tries with one fewer: it was no guess."""
    return msgspec.structs.replace(tries, tries_ms=tries.tries_ms[:-1])
