"""Promise: a markout is the first price of its moment, never one from before or long after it."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.markets import Side
from quantdesk.engines.orders.quality.model import HORIZONS, Entry, Mark
from quantdesk.engines.orders.quality.tape import KEEP_MS, Tape, settled

PAIR = "SOL-USDC"
NOW_MS = 1_700_000_000_000
LATER_MS = NOW_MS + 1_000_000


def _mark(price: int, at_ms: int) -> Mark:
    return Mark(price=Decimal(price), at_ms=at_ms, age_ms=0, source="told")


def _tape(*looks: tuple[int, int | str]) -> Tape:
    tape = Tape()
    for after_ms, said in looks:
        at_ms = NOW_MS + after_ms
        mark = Mark(missing=said) if isinstance(said, str) else _mark(said, at_ms)
        tape.add({PAIR: mark}, at_ms=at_ms)
    return tape


def _asked(tape: Tape, *, now_ms: int = LATER_MS, late_ms: int = 2_000) -> Mark | None:
    return tape.mark(PAIR, due_ms=NOW_MS, late_ms=late_ms, now_ms=now_ms)


def _entry() -> Entry:
    return Entry(
        order_id=UUID(int=1), leg=0, legs=1, mode="paper", account_id=UUID(int=2), pair=PAIR,
        side=Side.BUY, venue="raydium", pool="p", kind="", base_raw=10**9, quoted_raw=10**8,
        simulated_raw=None, landed_base_raw=10**9, landed_raw=10**8, landed_ms=NOW_MS,
        measured=True, simulated_measured=False, decision=Mark(missing="unrecorded"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("looks", "price"),
    [
        ([(0, 7)], 7),
        ([(-1, 5), (0, 7), (1, 9)], 7),
        ([(-1, 5), (900, 7), (1_400, 9)], 7),
        ([(2_000, 7)], 7),
        ([(100, "price.stale"), (600, 7)], 7),
    ],
)
def test_that_the_first_price_from_the_moment_on_is_taken(
    looks: list[tuple[int, int | str]], price: int
) -> None:
    found = _asked(_tape(*looks))

    assert found is not None
    assert found.price == price


@pytest.mark.parametrize(
    ("looks", "why"),
    [
        ([], "late"),
        ([(-1, 5)], "late"),
        ([(2_001, 7)], "late"),
        ([(-1, 5), (2_001, 7)], "late"),
        ([(100, "price.stale"), (600, "price.missing"), (2_001, 7)], "price.stale"),
    ],
)
def test_that_without_a_price_the_reason_is_told(
    looks: list[tuple[int, int | str]], why: str
) -> None:
    assert _asked(_tape(*looks)) == Mark(missing=why)


def test_that_nothing_is_given_up_while_another_desk_may_still_write() -> None:
    assert _asked(_tape(), now_ms=NOW_MS) is None
    assert _asked(_tape(), now_ms=NOW_MS + 17_000) is None
    assert _asked(_tape(), now_ms=NOW_MS + 17_001) == Mark(missing="late")


def test_that_a_pair_nobody_spoke_of_is_missing() -> None:
    tape = _tape((0, 7))

    found = tape.mark("BTC-USDC", due_ms=NOW_MS, late_ms=2_000, now_ms=LATER_MS)

    assert found == Mark(missing="price.missing")


def test_that_a_clock_set_back_forgets_what_was_called_later() -> None:
    tape = _tape((5_000, 5), (0, 7))

    found = tape.mark(PAIR, due_ms=NOW_MS, late_ms=10_000, now_ms=LATER_MS)

    assert len(tape) == 1
    assert found is not None
    assert found.price == 7


def test_that_the_tape_stays_short() -> None:
    tape = _tape(*((at, 1) for at in range(0, 3 * KEEP_MS, 500)))

    assert KEEP_MS / 500 <= len(tape) <= 1.2 * KEEP_MS / 500
    assert tape.last_ms == NOW_MS + 3 * KEEP_MS - 500


@given(st.lists(st.integers(0, 400_000), max_size=40), st.integers(0, 500_000))
def test_that_marks_come_in_order_and_in_time(looks: list[int], now: int) -> None:
    tape = _tape(*((at, 1) for at in sorted(set(looks)) if at <= now))

    found = settled(_entry(), tape, now_ms=NOW_MS + now)

    for horizon, mark in zip(HORIZONS, found.marks, strict=False):
        if mark.at_ms is not None:
            assert 0 <= mark.at_ms - NOW_MS - horizon.after_ms <= horizon.late_ms
        else:
            assert now > horizon.after_ms + horizon.late_ms
    if len(found.marks) < len(HORIZONS):
        assert found.next_due_ms == NOW_MS + HORIZONS[len(found.marks)].after_ms
    else:
        assert found.next_due_ms is None


@given(st.lists(st.integers(0, 400_000), min_size=1, max_size=30))
def test_that_asking_often_and_asking_once_give_the_same(looks: list[int]) -> None:
    tape, often = Tape(), _entry()
    for at in sorted(set(looks)):
        tape.add({PAIR: _mark(at + 1, NOW_MS + at)}, at_ms=NOW_MS + at)
        often = settled(often, tape, now_ms=NOW_MS + at)
    often = settled(often, tape, now_ms=LATER_MS)

    assert often == settled(_entry(), tape, now_ms=LATER_MS)
