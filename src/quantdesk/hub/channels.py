"""Channels: what can be followed on `/ws`, and how fast changes may be folded into one.

A channel is a set of keys ("SOL"), each with a state that a snapshot tells whole and deltas bring
up to date. Whoever makes the state says both: `snapshot` reads it, `Hub.publish` tells a change.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from quantdesk.access.model import Permission

PACES: Final = (1, 2, 5, 10, 20, 50)
"""How many messages of a key a client may have per second; clients of one pace share bytes."""

PACE_DEFAULT: Final = 10

Merge = Callable[[Any, Any], Any]
"""Takes a change that was not sent yet and the next one; returns both in one."""


class Restart:
    """A change too large to tell: the client gets a snapshot in its place."""


RESTART: Final = Restart()


def latest(_: object, change: Any) -> Any:  # noqa: ANN401 - whatever a channel tells
    """Return the later of two changes that each hold the whole state."""
    return change


def rows(key: Callable[[Any], Hashable], *, at_most: int) -> Merge:
    """Return a merge of lists of rows, of which the later with the same `key` replaces the other.

    More than `at_most` rows become `RESTART`.
    """

    def merge(before: Sequence[Any] | Restart, change: Sequence[Any] | Restart) -> object:
        if isinstance(before, Restart) or isinstance(change, Restart):
            return RESTART
        merged = {key(row): row for row in before}
        merged |= {key(row): row for row in change}
        return list(merged.values()) if len(merged) <= at_most else RESTART

    return merge


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Something that clients can follow.

    `keys` lists what there is, and costs little to ask. `snapshot` returns the state of a key,
    with every change that was published before it is called; a change told again must leave the
    state as it is, for one that was not sent yet comes after a snapshot that holds it. Whoever has
    the `permission` may follow it.
    """

    name: str
    permission: Permission
    keys: Callable[[], Collection[str]]
    snapshot: Callable[[str], Any]
    merge: Merge = latest


def pace_of(hz: int | None) -> int:
    """Return the pace for what a client asked: the fastest that is not above it."""
    asked = PACE_DEFAULT if hz is None else hz
    return max((pace for pace in PACES if pace <= asked), default=PACES[0])
