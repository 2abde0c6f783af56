"""Bytes are dead only when proven so: every single doubt leaves them UNSEEN."""

from dataclasses import replace

import pytest

from quantdesk.chains.port import Fate
from quantdesk.chains.solana import monitor
from quantdesk.chains.solana.answers import Status
from quantdesk.chains.solana.monitor import (
    HISTORY_SLOTS,
    MARGIN_BLOCKS,
    Commitment,
    Finality,
    Search,
    Sent,
)

SENT = Sent(last_valid_height=1_000, simulated_slot=2_000)
PAST = Finality(slot=2_200, height=SENT.last_valid_height + MARGIN_BLOCKS + 1)
NOTHING = Search(status=None, slot=PAST.slot, first_slot=None)
FAILED = {"InstructionError": [0, {"Custom": 1}]}


@pytest.mark.parametrize(
    ("err", "reached", "expected"),
    [
        (None, "processed", Fate.UNSEEN),
        (None, "confirmed", Fate.LANDED),
        (None, "finalized", Fate.LANDED),
        (None, None, Fate.UNSEEN),
        (None, "odd", Fate.UNSEEN),
        (FAILED, "processed", Fate.UNSEEN),
        (FAILED, "confirmed", Fate.REVERTED),
        (FAILED, "finalized", Fate.REVERTED),
        (FAILED, None, Fate.UNSEEN),
    ],
)
def test_reads_a_fate_only_at_the_commitment_that_counts(
    err: object, reached: str | None, expected: Fate
) -> None:
    status = Status(5, err, reached)

    confirmed = Commitment.CONFIRMED

    assert monitor.fate(status, landed=confirmed, reverted=confirmed) is expected


def test_can_wait_for_finality_before_a_failure_counts() -> None:
    status = Status(5, FAILED, "confirmed")

    fate = monitor.fate(status, landed=Commitment.CONFIRMED, reverted=Commitment.FINALIZED)

    assert fate is Fate.UNSEEN


def test_declares_death_when_everything_speaks_for_it() -> None:
    assert monitor.is_dead(SENT, PAST, NOTHING)


@pytest.mark.parametrize(
    ("finality", "search"),
    [
        (replace(PAST, height=PAST.height - 1), NOTHING),
        (replace(PAST, height=SENT.last_valid_height + 1), NOTHING),
        (replace(PAST, height=0), NOTHING),
        (PAST, replace(NOTHING, status=Status(2_001, None, "processed"))),
        (PAST, replace(NOTHING, status=Status(2_001, FAILED, "finalized"))),
        (PAST, replace(NOTHING, slot=PAST.slot - 1)),
        (replace(PAST, slot=SENT.simulated_slot + HISTORY_SLOTS + 1), NOTHING),
    ],
    ids=[
        "one block short of the margin",
        "within the margin",
        "chain begun anew",
        "found, if only processed",
        "found to have failed",
        "searched by a node that is behind",
        "history not known to reach back",
    ],
)
def test_does_not_declare_death_on_any_doubt(finality: Finality, search: Search) -> None:
    assert not monitor.is_dead(SENT, finality, search)


@pytest.mark.parametrize(("first_slot", "dead"), [(2_000, True), (2_001, False), (None, False)])
def test_trusts_an_old_search_only_if_the_node_remembers_that_far(
    first_slot: int | None, *, dead: bool
) -> None:
    old = Finality(SENT.simulated_slot + HISTORY_SLOTS + 1, PAST.height + HISTORY_SLOTS)
    search = Search(None, old.slot, first_slot)

    assert monitor.is_dead(SENT, old, search) is dead


@pytest.mark.parametrize(("slot", "worth"), [(2_149, False), (2_150, True)])
def test_asks_for_heights_only_when_bytes_may_have_expired(slot: int, *, worth: bool) -> None:
    assert monitor.may_be_expired(SENT, slot=slot) is worth
