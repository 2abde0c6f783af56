"""Statuses and heights → the fate of sent bytes; pure.

The one judgment here that could fill an order twice is DEAD, so it needs all of this:

- the finalized height is past the last one the bytes are valid at, by a margin;
- a search of the node's whole history, **asked after that height was read** and answered by a node
  that has come at least as far, found nothing;
- the node's history reaches back to when the bytes were made.

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
HISTORY_SLOTS: Final = 9_000
"""About an hour; every node keeps more than this, so only older bytes need the question."""


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
class Search:
    """One signature's result in a search of the whole history.

    `slot` is how far the node that searched had come, `first_slot` the oldest it remembers, None
    when that was not needed.
    """

    status: Status | None
    slot: int
    first_slot: int | None


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


def needs_old_history(sent: Sent, finality: Finality) -> bool:
    """Return whether the node's memory may be too short to prove that the bytes never landed."""
    return finality.slot - sent.simulated_slot > HISTORY_SLOTS


def is_dead(sent: Sent, finality: Finality, search: Search) -> bool:
    """Return whether the bytes provably never executed and never will.

    `search` must have been asked after `finality` was answered.
    """
    remembered = not needs_old_history(sent, finality) or (
        search.first_slot is not None and search.first_slot <= sent.simulated_slot
    )
    return (
        is_expired(sent, finality)
        and search.status is None
        and search.slot >= finality.slot
        and remembered
    )
