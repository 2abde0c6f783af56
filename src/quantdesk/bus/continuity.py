"""Continuity: what of a numbered stream is new, and what of it is missing. Pure.

Speakers count what they say from zero on, and say with each message the number of its first item.
"""

from typing import NamedTuple


class Step(NamedTuple):
    """What a message brings: its first `known` items came before, `missing` never came."""

    known: int
    missing: int


class Continuity:
    """How far one speaker was heard."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next: int | None = None

    def take(self, first: int, count: int) -> Step:
        """Take in a message of `count` items; whoever joins late misses nothing."""
        due = first if self._next is None else self._next
        self._next = max(due, first + count)
        return Step(known=min(count, max(0, due - first)), missing=max(0, first - due))
