"""The cluster's time: slots, block heights, blockhashes and block times; pure.

Nothing is stored for an empty slot. A blockhash is a hash of the chain's seed and the slot, a block
time is counted from the last anchor, and only slots dropped by a rollback are remembered.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from solders.hash import Hash

SLOT_HASHES_MAX = 512  # blocks the SlotHashes sysvar remembers
BLOCKHASH_AGE_MAX = 150  # blocks; MAX_PROCESSING_AGE of the validator
ANCHOR_DRIFT_MS = 1000
ANCHORS_MAX = 50_000


class Anchor(NamedTuple):
    """A slot whose start was read from the clock, and the slot length from there on."""

    slot: int
    time_ms: int
    slot_ms: int


class Born(NamedTuple):
    """Where a blockhash comes from; of a dropped block both may be ahead of the chain."""

    slot: int
    height: int


class Timeline:
    """Where the cluster stands, and where every slot stood."""

    def __init__(self, *, seed: bytes, anchor: Anchor) -> None:
        self.seed = seed
        self.slot = anchor.slot
        self.anchors = [anchor]
        self.skipped: list[tuple[int, int]] = []  # first, last slot of each dropped run
        self._skipped_before: list[int] = []  # slots dropped up to the end of each run
        self.hashes: dict[Hash, Born] = {}  # those still valid
        self._register()

    @property
    def height(self) -> int:
        """Return the height of the current block."""
        return self.height_of(self.slot)

    @property
    def anchor(self) -> Anchor:
        """Return the last anchor."""
        return self.anchors[-1]

    def is_skipped(self, slot: int) -> bool:
        """Tell whether this slot's block was dropped."""
        run = bisect_right(self.skipped, (slot, self.slot + 1)) - 1
        return run >= 0 and self.skipped[run][1] >= slot

    def height_of(self, slot: int) -> int:
        """Return the height of the last block at or before this slot."""
        run = bisect_right(self.skipped, (slot, self.slot + 1)) - 1
        if run < 0:
            return slot
        overhang = max(0, self.skipped[run][1] - slot)
        return slot - self._skipped_before[run] + overhang

    def slot_of(self, height: int) -> int:
        """Return the slot of the block at this height."""
        slot = height
        for dropped, (first, _) in zip(self._skipped_before, self.skipped, strict=True):
            if first > slot:
                break
            slot = height + dropped
        return slot

    def parent(self, slot: int) -> int:
        """Return the slot of the block before this one; slot 0 is its own parent."""
        return self.slot_of(max(0, self.height_of(slot) - 1))

    def hash_of(self, slot: int) -> Hash:
        """Return the blockhash of this slot."""
        return Hash(hashlib.sha256(self.seed + slot.to_bytes(8, "little")).digest())

    def slot_hashes(self) -> list[tuple[int, Hash]]:
        """Return the last blocks before the current one with their hashes, newest first."""
        first = max(0, self.height - SLOT_HASHES_MAX)
        slots = [self.slot_of(height) for height in range(self.height - 1, first - 1, -1)]
        return [(slot, self.hash_of(slot)) for slot in slots]

    def time_ms(self, slot: int) -> int:
        """Return when this slot began, in Unix milliseconds."""
        at = max(0, bisect_right(self.anchors, slot, key=lambda anchor: anchor.slot) - 1)
        anchor = self.anchors[at]
        return anchor.time_ms + (slot - anchor.slot) * anchor.slot_ms

    def is_valid(self, blockhash: Hash, *, known_by: int | None = None) -> bool:
        """Tell whether a transaction with this blockhash may land now.

        `known_by` asks besides that the block at that height already knew the hash.
        """
        born = self.hashes.get(blockhash)
        if born is None or self.height > born.height + BLOCKHASH_AGE_MAX:
            return False
        return known_by is None or born.height <= known_by

    def next(self, *, now_ms: int, slot_ms: int) -> None:
        """Begin the next slot; a clock that drifted from the count gives a new anchor."""
        slot = self.slot + 1
        counted = self.time_ms(slot)
        if abs(counted - now_ms) >= ANCHOR_DRIFT_MS or slot_ms != self.anchor.slot_ms:
            # Block time never runs backwards, whatever the machine's clock does.
            self.fix(Anchor(slot, max(now_ms, self.time_ms(self.slot)), slot_ms))
        self.slot = slot
        self._register()

    def fix(self, anchor: Anchor) -> None:
        """Take an anchor over, unless it is the last one already."""
        if anchor != self.anchor:
            self.anchors.append(anchor)
            del self.anchors[:-ANCHORS_MAX]

    def jump(self, slot: int) -> None:
        """Go forward to this slot; the slots between had empty blocks."""
        assert slot >= self.slot
        first = max(self.slot + 1, slot - BLOCKHASH_AGE_MAX)
        for passed in range(first, slot + 1):
            self.slot = passed
            self._register()

    def drop(self, first: int, *, forget_hashes: bool) -> None:
        """Drop the blocks of slot `first` up to the current one; they become skipped slots."""
        dropped = [slot for slot in range(first, self.slot + 1) if not self.is_skipped(slot)]
        if forget_hashes:
            for slot in dropped:
                self.hashes.pop(self.hash_of(slot), None)
        self.skipped = [run for run in self.skipped if run[0] < first]
        self.skipped.append((first, self.slot))
        self._count_skipped()

    def restore(
        self,
        *,
        skipped: Iterable[tuple[int, int]],
        anchors: Iterable[Anchor],
        hashes: Iterable[tuple[Hash, Born]],
    ) -> None:
        """Take over what a snapshot kept."""
        self.skipped = sorted(skipped)
        self._count_skipped()
        self.anchors = list(anchors)
        self.hashes = dict(hashes)

    def _count_skipped(self) -> None:
        total = 0
        self._skipped_before = []
        for first, last in self.skipped:
            total += last - first + 1
            self._skipped_before.append(total)

    def _register(self) -> None:
        height = self.height
        self.hashes[self.hash_of(self.slot)] = Born(self.slot, height)
        oldest = next(iter(self.hashes))
        while self.hashes[oldest].height + BLOCKHASH_AGE_MAX < height:
            del self.hashes[oldest]
            oldest = next(iter(self.hashes))
