"""Merkle trees over the hashes of rows, so that one row is proven by a few hashes. Pure.

As RFC 9162 §2.1 (https://www.rfc-editor.org/rfc/rfc9162#section-2.1): a leaf is
sha256(0x00 ‖ entry), a node sha256(0x01 ‖ left ‖ right), and a tree of n leaves splits at the
largest power of two below n.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

EMPTY = hashlib.sha256().digest()


def leaf(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\0" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A tree that grows leaf by leaf and remembers one hash per level."""

    def __init__(self) -> None:
        self.count = 0
        self._peaks: list[bytes] = []

    def add(self, entry: bytes) -> None:
        """Append an entry."""
        grown, full = leaf(entry), self.count
        while full & 1:
            grown, full = node(self._peaks.pop(), grown), full >> 1
        self._peaks.append(grown)
        self.count += 1

    def root(self) -> bytes:
        """Return the hash over all entries."""
        if not self._peaks:
            return EMPTY
        *rest, root = self._peaks
        for peak in reversed(rest):
            root = node(peak, root)
        return root


class Step(msgspec.Struct, frozen=True):
    """What stands beside the way from a leaf to the root: entries [`begin`, `end`)."""

    begin: int
    end: int
    left: bool


def way(index: int, count: int) -> list[Step]:
    """Return what is beside the way of a leaf to the root, the leaf's neighbor first."""
    assert 0 <= index < count
    begin, steps = 0, []
    while count > 1:
        half = 1 << (count - 1).bit_length() - 1
        if index < half:
            steps.append(Step(begin + half, begin + count, left=False))
            count = half
        else:
            steps.append(Step(begin, begin + half, left=True))
            begin, index, count = begin + half, index - half, count - half
    return steps[::-1]


class Paths:
    """The hashes beside the ways of some leaves, gathered while the entries go by in order."""

    def __init__(self, indexes: Iterable[int], count: int) -> None:
        self._ways = {index: way(index, count) for index in indexes}
        ranges = {(step.begin, step.end) for steps in self._ways.values() for step in steps}
        self._trees = {between: Tree() for between in sorted(ranges)}
        self._whole = Tree()

    def add(self, entries: Sequence[bytes]) -> None:
        """Take the next entries."""
        first = self._whole.count
        for entry in entries:
            self._whole.add(entry)
        last = self._whole.count
        for (begin, end), tree in self._trees.items():
            for entry in entries[max(begin, first) - first : max(0, min(end, last) - first)]:
                tree.add(entry)

    def root(self) -> bytes:
        """Return the hash over all entries."""
        return self._whole.root()

    def path(self, index: int) -> list[tuple[str, bytes]]:
        """Return the hashes beside a leaf's way, each with its side, the nearest first."""
        return [
            ("left" if step.left else "right", self._trees[step.begin, step.end].root())
            for step in self._ways[index]
        ]


def climbed(entry: bytes, path: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the root that an entry and the hashes beside its way lead to."""
    reached = leaf(entry)
    for side, beside in path:
        reached = node(beside, reached) if side == "left" else node(reached, beside)
    return reached
