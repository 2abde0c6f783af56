"""Final transactions on disk, found by signature, address and slot.

Two files, each of at most half the bound; when the newer is full the older goes. Nothing here is
synced by itself: what a snapshot does not vouch for is cut off at start and made again by replay.
"""

import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from quantdesk.localnet.frames import frame_at, framed, frames
from quantdesk.localnet.landed import Landed, decode, encode

SHELF_TRANSACTIONS = 100_000


class Position(NamedTuple):
    """How far history had come: file, byte, and transactions ever landed."""

    shelf: int
    offset: int
    landed: int


class Entry(NamedTuple):
    """Where a final transaction lies, and the little that is asked of it most."""

    signature: bytes
    slot: int
    err: object
    memo: str | None
    offset: int


class Shelf:
    """One file of history with its index."""

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        self.offset = 0
        self.entries: list[Entry] = []
        self.slots = array("Q")
        self.by_signature: dict[bytes, int] = {}
        self.by_address: dict[bytes, array[int]] = {}

    def index(self, landed: Landed, *, offset: int, end: int) -> None:
        """Take up a transaction that lies at this offset."""
        at = len(self.entries)
        self.entries.append(
            Entry(landed.signature, landed.slot, landed.outcome.err, landed.memo, offset)
        )
        self.slots.append(landed.slot)
        self.by_signature[landed.signature] = at
        for key in landed.keys:
            self.by_address.setdefault(key, array("I")).append(at)
        self.offset = end


class History:
    """What became final, newest shelf last."""

    def __init__(
        self, folder: Path, *, upto: Position, shelf_size: int = SHELF_TRANSACTIONS
    ) -> None:
        self.folder = folder
        self.shelf_size = shelf_size
        self.count = upto.landed
        for path in folder.glob("history-*.bin"):
            if int(path.stem.split("-")[1]) > upto.shelf:
                path.unlink()  # made after the snapshot; replay makes it again
        self.shelves = [self._load(upto.shelf - 1, None), self._load(upto.shelf, upto.offset)]
        self.file = self.shelves[-1].path.open("ab", buffering=0)

    @property
    def position(self) -> Position:
        """Return how far history has come."""
        return Position(self.shelves[-1].number, self.shelves[-1].offset, self.count)

    @property
    def first_slot(self) -> int:
        """Return the first slot whose transactions are still here in full; 0 if all are."""
        if self.shelves[-1].number <= 1 or not self.shelves[0].entries:
            return 0
        return self.shelves[0].entries[0].slot + 1

    def append(self, block: list[Landed]) -> None:
        """Put a final block's transactions on the shelf."""
        if not block:
            return
        if len(self.shelves[-1].entries) >= self.shelf_size:
            self._turn()
        shelf = self.shelves[-1]
        written = bytearray()
        for landed in block:
            offset = shelf.offset
            frame = framed(encode(landed))
            written += frame
            shelf.index(landed, offset=offset, end=offset + len(frame))
        self.file.write(written)
        self.count += len(block)

    def entry(self, signature: bytes) -> Entry | None:
        """Return the entry of a signature."""
        for shelf in reversed(self.shelves):
            at = shelf.by_signature.get(signature)
            if at is not None:
                return shelf.entries[at]
        return None

    def transaction(self, signature: bytes) -> Landed | None:
        """Return a final transaction in full; raises Corrupt if its bytes are damaged."""
        for shelf in reversed(self.shelves):
            at = shelf.by_signature.get(signature)
            if at is not None:
                return decode(frame_at(shelf.path, shelf.entries[at].offset))
        return None

    def of_address(self, address: bytes) -> Iterator[Entry]:
        """Yield the entries that name an address, newest first."""
        for shelf in reversed(self.shelves):
            for at in reversed(shelf.by_address.get(address, ())):
                yield shelf.entries[at]

    def of_slot(self, slot: int) -> list[Landed]:
        """Return a final block's transactions, in order."""
        for shelf in self.shelves:
            first, last = bisect_left(shelf.slots, slot), bisect_right(shelf.slots, slot)
            if first < last:
                found = shelf.entries[first:last]
                return [decode(frame_at(shelf.path, entry.offset)) for entry in found]
        return []

    def sync(self) -> None:
        """Make all of it outlive the machine; blocks; raises OSError."""
        for shelf in self.shelves:
            if shelf.path.exists():
                with shelf.path.open("rb") as file:
                    os.fsync(file.fileno())

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _turn(self) -> None:
        number = self.shelves[-1].number + 1
        self.file.close()
        self.shelves[0].path.unlink(missing_ok=True)
        fresh = Shelf(self._path(number), number)
        self.shelves = [self.shelves[-1], fresh]
        self.file = fresh.path.open("ab", buffering=0)

    def _load(self, number: int, upto: int | None) -> Shelf:
        shelf = Shelf(self._path(number), number)
        if not shelf.path.exists():
            return shelf
        if upto is not None:
            with shelf.path.open("r+b") as file:
                file.truncate(upto)
        start = 0
        for payload, end in frames(shelf.path, synced=upto or 0):
            shelf.index(decode(payload), offset=start, end=end)
            start = end
        return shelf

    def _path(self, number: int) -> Path:
        return self.folder / f"history-{number:08d}.bin"
