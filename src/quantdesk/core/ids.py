"""Identifiers: UUID version 7, so that rows sort by the time they were made (RFC 9562 §5.7).

They are of the database driver's own type, a `uuid.UUID` written in C like those it reads from
rows: the standard one hashes and prints ten times slower, and every order is looked up by its id
some fifty times on its way (docs/numbers.md).
"""

import os
from collections.abc import Callable, Iterator
from uuid import UUID

from asyncpg.pgproto import pgproto

NewId = Callable[[], UUID]
"""Makes the next identifier; tests pass a counter."""

_UUID_BYTES = 16
_NOISE_BYTES = 10  # 74 random bits are taken from these
_DRAW = 256  # identifiers per call of the operating system


def uuid7(ms: int, random: bytes) -> UUID:
    """Return the UUID of a Unix millisecond and ten random bytes."""
    assert len(random) == _NOISE_BYTES
    noise = int.from_bytes(random, "big")
    high = (ms << 80) | (0x7 << 76) | ((noise >> 68 & 0xFFF) << 64)
    number = high | (0b10 << 62) | (noise & ((1 << 62) - 1))
    made: UUID = pgproto.UUID(number.to_bytes(_UUID_BYTES, "big"))
    return made


def ids(now_ms: Callable[[], int]) -> NewId:
    """Return a maker of identifiers that draws randomness from the machine, many at a time."""
    drawn: Iterator[bytes] = iter(())

    def new_id() -> UUID:
        nonlocal drawn
        noise = next(drawn, None)
        if noise is None:
            pool = os.urandom(_NOISE_BYTES * _DRAW)
            drawn = (pool[at : at + _NOISE_BYTES] for at in range(0, len(pool), _NOISE_BYTES))
            noise = next(drawn)
        return uuid7(now_ms(), noise)

    return new_id


def first_id(ms: int) -> UUID:
    """Return a bound that sorts below every identifier made since that Unix millisecond."""
    return UUID(int=ms << 80)
