"""Which tick arrays of a pool hold initialized ticks; pure.

A tick array spans 60 initializable ticks. The pool has a bit for each of the 512 arrays on either
side of price one; where ticks are so fine that arrays lie beyond, an extension account has 14 more
maps of 512 for each side. Here all are one integer, its lowest bit the lowest array.
Order of the maps: https://github.com/raydium-io/raydium-clmm (libraries/tick_array_bit_map.rs,
states/tickarray_bitmap_extension.rs).
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from quantdesk.venues.raydium.clmm.layout import EXTENSION_MAPS, MAP_ARRAYS, Extension, Pool
from quantdesk.venues.raydium.clmm.ticks import TICK_MAX

_LOWEST: Final = -(EXTENSION_MAPS + 1) * MAP_ARRAYS
_OWN_SHIFT: Final = EXTENSION_MAPS * MAP_ARRAYS
_ABOVE_SHIFT: Final = _OWN_SHIFT + 2 * MAP_ARRAYS


def nearest(pool: Pool, extension: Extension | None, *, down: bool, count: int) -> tuple[int, ...]:
    """Return the start ticks of the initialized arrays from the current tick on, nearest first.

    The array of the current tick is among them, in both directions, if it is initialized.
    """
    bits = pool.bitmap << _OWN_SHIFT
    if extension is not None:
        bits |= extension.below | extension.above << _ABOVE_SHIFT
    place = pool.tick // pool.array_ticks - _LOWEST
    places = _down(bits, place) if down else _up(bits, place)
    return tuple((found + _LOWEST) * pool.array_ticks for found in islice(places, count))


def may_need_extension(pool: Pool, *, count: int) -> bool:
    """Say whether the search for this many arrays on either side can leave the pool's own map."""
    if MAP_ARRAYS * pool.array_ticks > TICK_MAX:
        return False
    if not -MAP_ARRAYS <= pool.tick // pool.array_ticks < MAP_ARRAYS:
        return True
    return any(len(nearest(pool, None, down=down, count=count)) < count for down in (True, False))


def _down(bits: int, place: int) -> Iterator[int]:
    rest = bits & ((2 << place) - 1)
    while rest:
        found = rest.bit_length() - 1
        yield found
        rest ^= 1 << found


def _up(bits: int, place: int) -> Iterator[int]:
    rest = bits >> place << place
    while rest:
        lowest = rest & -rest
        yield lowest.bit_length() - 1
        rest ^= lowest
