"""Statuses and heights → the fate of sent bytes; pure.

The one judgment here that could fill an order twice is DEAD, so it needs all of this:

- the finalized height is past the last one the bytes are valid at, by a margin;
- a search of the node's whole history, **asked after that height was read** and answered by a node
  that has come at least as far, found nothing;
- the node that searched has every block that could hold them, none missing in between: one that
  fell out and came back by a snapshot answers like any other, and knows nothing of what it missed.

Anything less, and anything unanswered, leaves them UNSEEN. Nothing is remembered: when a rolled
back block takes a status away, the bytes are UNSEEN again.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from quantdesk.chains.port import Fate
from quantdesk.chains.solana.answers import Status

BLOCKHASH_BLOCKS: Final = 150
"""How many blocks a blockhash is valid for: https://solana.com/docs/core/transactions"""
MARGIN_BLOCKS: Final = 8
"""Beyond the last valid height, though finality alone should do."""
WINDOW_BLOCKS: Final = 400
"""As many blocks from a `window` on reach past every one that could hold the bytes."""

_BEFORE_SLOTS: Final = 64
"""How far before the slot of their simulation a block is sure to be found."""


class Commitment(IntEnum):
    """How sure the cluster is of a block, in rising order."""

    PROCESSED = 0
    CONFIRMED = 1
    FINALIZED = 2

    @property
    def wire(self) -> str:
        """Return its name in questions and answers."""
        return self.name.lower()


_COMMITMENTS: Final = {commitment.wire: commitment for commitment in Commitment}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a proof of death must know of sent bytes."""

    last_valid_height: int
    simulated_slot: int


@dataclass(frozen=True, slots=True)
class Finality:
    """The finalized slot and block height, read in one answer."""

    slot: int
    height: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """Blocks that a node has, in order: the first one's slot, how many, and both ends' heights."""

    first_slot: int
    count: int
    first_height: int
    last_height: int

    def covers(self, sent: Sent) -> bool:
        """Return whether every block that could hold the bytes is among them."""
        is_whole = self.last_height - self.first_height == self.count - 1
        begins = self.first_slot <= sent.simulated_slot
        return is_whole and begins and self.last_height > sent.last_valid_height


@dataclass(frozen=True, slots=True)
class Search:
    """One signature's result in a search of the whole history.

    `slot` is how far the node that searched had come, `ledger` the blocks it has of that time, None
    when it did not tell.
    """

    status: Status | None
    slot: int
    ledger: Ledger | None


def fate(status: Status | None, *, landed: Commitment, reverted: Commitment) -> Fate:
    """Return the fate a status proves, given the commitments that count; never DEAD."""
    if status is None:
        return Fate.UNSEEN
    # A status this desk does not know is no proof of anything.
    reached = _COMMITMENTS.get(status.confirmation_status or "", Commitment.PROCESSED)
    if status.err is None:
        return Fate.LANDED if reached >= landed else Fate.UNSEEN
    return Fate.REVERTED if reached >= reverted else Fate.UNSEEN


def may_be_expired(sent: Sent, *, slot: int) -> bool:
    """Return whether asking for the finalized height is worth it at a slot.

    Heights never rise faster than slots, and the blockhash was valid when the bytes were simulated.
    """
    return slot - sent.simulated_slot >= BLOCKHASH_BLOCKS


def is_expired(sent: Sent, finality: Finality) -> bool:
    """Return whether no block to come can hold the bytes."""
    return finality.height > sent.last_valid_height + MARGIN_BLOCKS


def window(sent: Sent) -> int:
    """Return from which slot on to ask for blocks; bytes made at about one time share it."""
    return max(0, sent.simulated_slot - _BEFORE_SLOTS) // _BEFORE_SLOTS * _BEFORE_SLOTS


def is_dead(sent: Sent, finality: Finality, search: Search) -> bool:
    """Return whether the bytes provably never executed and never will.

    `search` must have been asked after `finality` was answered.
    """
    return (
        is_expired(sent, finality)
        and search.status is None
        and search.slot >= finality.slot
        and search.ledger is not None
        and search.ledger.covers(sent)
    )
