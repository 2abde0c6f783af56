"""What the venue knows of one pool, and which accounts it must follow to know it.

The pair account names everything else. Of the bin arrays the nearest filled ones are followed,
`ARRAYS_EACH_SIDE` in each direction from the active bin; the set moves with it. An account that
leaves the set is forgotten: its state would be stale when it returns.
"""

from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Generic, TypeVar

from quantdesk.core.errors import Corrupt
from quantdesk.venues.meteora import layout
from quantdesk.venues.meteora.dlmm import Pool, filled_arrays
from quantdesk.venues.meteora.layout import BinArray, Extension, Pair

ARRAYS_EACH_SIDE: Final = 4
"""Filled bin arrays followed in each direction; each holds 70 bins."""

State = TypeVar("State")


@dataclass(slots=True)
class Seen(Generic[State]):
    """The latest state of an account; `state` is None while missing or unreadable."""

    state: State | None = None
    slot: int = -1
    seen_ms: int = 0

    def is_news(self, slot: int, seen_ms: int) -> bool:
        """Say whether a state of `slot` replaces this one, and clear this one when it does."""
        if slot < self.slot:
            return False
        self.state, self.slot, self.seen_ms = None, slot, seen_ms
        return True


@dataclass(slots=True)
class Followed:
    """A pool and what is known of its accounts."""

    address: str
    pair: Seen[Pair] = field(default_factory=Seen)
    extension: Seen[Extension] | None = None
    arrays: dict[int, Seen[BinArray]] = field(default_factory=dict)
    _array_at: dict[str, int] = field(default_factory=dict)

    def accounts(self) -> tuple[str, ...]:
        """Return the addresses this pool now depends on."""
        extension = (layout.extension_address(self.address),) if self.extension else ()
        return (self.address, *extension, *self._array_at)

    def update(self, address: str, data: bytes, *, slot: int, seen_ms: int) -> None:
        """Take in the state of one of this pool's accounts; raise `Corrupt` if unreadable."""
        if address == self.address:
            if self.pair.is_news(slot, seen_ms) and data:
                self.pair.state = layout.decode_pair(data)
                self._follow(self.pair.state)
        elif address in self._array_at:
            index = self._array_at[address]
            seen = self.arrays[index]
            if seen.is_news(slot, seen_ms) and data:
                seen.state = self._array(index, data)
        elif self.extension and self.extension.is_news(slot, seen_ms) and data:
            self.extension.state = self._extension(data)
            if self.pair.state:
                self._follow(self.pair.state)

    def pool(self, pair: Pair) -> Pool:
        """Return what a swap through this pool depends on."""
        arrays = {i: seen.state for i, seen in self.arrays.items() if seen.state is not None}
        return Pool(pair, arrays, self.bitmap_extension, arrays_max=ARRAYS_EACH_SIDE)

    def nearest(self, pair: Pair, direction: int, count: int) -> list[int]:
        """Return the nearest filled bin arrays, the active one first, up (1) or down (-1)."""
        return list(islice(filled_arrays(pair, self.bitmap_extension, direction), count))

    @property
    def bitmap_extension(self) -> Extension | None:
        """Return the bitmap extension, where the pool has one and needs it."""
        return self.extension.state if self.extension else None

    def _follow(self, pair: Pair) -> None:
        if not _may_leave_bitmap(pair):
            self.extension = None
        elif self.extension is None:
            self.extension = Seen()
        wanted = {i for way in (-1, 1) for i in self.nearest(pair, way, ARRAYS_EACH_SIDE)}
        if wanted == self.arrays.keys():
            return
        self.arrays = {index: self.arrays.get(index) or Seen() for index in sorted(wanted)}
        self._array_at = {
            layout.bin_array_address(self.address, index): index for index in self.arrays
        }

    def _array(self, index: int, data: bytes) -> BinArray:
        array = layout.decode_bin_array(data)
        if (array.pair, array.index) != (self.address, index):
            raise Corrupt(f"bin array {array.index} of {array.pair} in the place of {index}")
        return array

    def _extension(self, data: bytes) -> Extension:
        extension = layout.decode_extension(data)
        if extension.pair != self.address:
            raise Corrupt(f"bitmap extension of {extension.pair} in the place of {self.address}'s")
        return extension


def _may_leave_bitmap(pair: Pair) -> bool:
    index = layout.array_index(pair.active_id)
    lowest, highest = index - ARRAYS_EACH_SIDE, index + ARRAYS_EACH_SIDE
    return lowest < -layout.BITMAP_HALF or highest >= layout.BITMAP_HALF
