"""Bytes are dead only when proven so: every single doubt leaves them UNSEEN."""

from dataclasses import replace

import pytest

from quantdesk.chains.port import Fate
from quantdesk.chains.solana import monitor
from quantdesk.chains.solana.answers import Status
from quantdesk.chains.solana.monitor import (
    MARGIN_BLOCKS,
    Commitment,
    Finality,
    Ledger,
    Search,
    Sent,
)

SENT = Sent(last_valid_height=1_000, simulated_slot=2_000)
PAST = Finality(slot=2_200, height=SENT.last_valid_height + MARGIN_BLOCKS + 1)
WHOLE = Ledger(first_slot=2_000, count=152, first_height=850, last_height=1_001)
NOTHING = Search(status=None, slot=PAST.slot, ledger=WHOLE)
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
        (PAST, replace(NOTHING, ledger=None)),
        (PAST, replace(NOTHING, ledger=replace(WHOLE, first_slot=2_001))),
        (PAST, replace(NOTHING, ledger=replace(WHOLE, count=151))),
        (PAST, replace(NOTHING, ledger=replace(WHOLE, count=151, last_height=1_000))),
    ],
    ids=[
        "one block short of the margin",
        "within the margin",
        "chain begun anew",
        "found, if only processed",
        "found to have failed",
        "searched by a node that is behind",
        "blocks not told",
        "blocks from later on",
        "a block missing in between",
        "not yet past the last that may hold it",
    ],
)
def test_does_not_declare_death_on_any_doubt(finality: Finality, search: Search) -> None:
    assert not monitor.is_dead(SENT, finality, search)


@pytest.mark.parametrize("slot", [0, 5, 63, 64, 127, 128, 2_000, 10**9 + 7])
def test_asks_for_blocks_from_a_little_before_the_simulation(slot: int) -> None:
    start = monitor.window(replace(SENT, simulated_slot=slot))

    assert start == max(0, slot - 64) // 64 * 64
    assert min(slot, 64) <= slot - start < 128


@pytest.mark.parametrize(("slot", "worth"), [(2_149, False), (2_150, True)])
def test_asks_for_heights_only_when_bytes_may_have_expired(slot: int, *, worth: bool) -> None:
    assert monitor.may_be_expired(SENT, slot=slot) is worth
