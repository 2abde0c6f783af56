"""Promise: what waits for the store is bounded, nothing goes unaccounted for, order is kept."""

from hypothesis import given
from hypothesis import strategies as st
from tests.flow.market_store.rows import NOW_MS, candle, tick

from quantdesk.ingest.store.model import Batch, Gap
from quantdesk.ingest.waiting import BATCH_ROWS, Waiting


@given(
    st.lists(st.one_of(st.integers(1, 40), st.sampled_from(["take", "back"])), max_size=40),
    st.integers(1, 30),
)
def test_every_tick_is_taken_once_in_order_or_counted_as_lost(
    steps: list[int | str], ticks_max: int
) -> None:
    waiting, number, taken = Waiting(ticks_max=ticks_max), 0, list[Batch]()
    for step in steps:
        if isinstance(step, int):
            for _ in range(step):
                waiting.tick(tick(number))
                number += 1
        elif step == "take":
            batch = waiting.batch(1, rows_max=7)
            taken += [batch] if batch else []
        elif taken:
            waiting.put_back(taken.pop())
    while batch := waiting.batch(1, rows_max=BATCH_ROWS):
        taken.append(batch)
    numbers = [one.received_ns for batch in taken for one in batch.ticks]
    assert numbers == sorted(set(numbers))
    assert len(numbers) + waiting.counts["ticks"] == number
    assert sum(gap.count for batch in taken for gap in batch.gaps) == waiting.counts["ticks"]


def test_the_latest_word_on_a_candle_waits_even_when_an_earlier_one_comes_back() -> None:
    waiting = Waiting()
    waiting.candle(candle(revision=1))
    batch = waiting.batch(1, rows_max=9)
    assert batch is not None
    waiting.candle(candle(revision=2))
    waiting.put_back(batch)
    again = waiting.batch(2, rows_max=9)
    assert again is not None
    assert [one.revision for one in again.candles] == [2]


def test_candles_past_the_bound_are_a_gap_to_fill() -> None:
    waiting = Waiting(candles_max=2)
    for number in range(5):
        waiting.candle(candle(NOW_MS + number * 60_000))
    batch = waiting.batch(1, rows_max=99)
    assert batch is not None
    assert [one.open_ms for one in batch.candles] == [NOW_MS + n * 60_000 for n in (3, 4)]
    end_ms = NOW_MS + 3 * 60_000
    gap = Gap("candles", "binance", "BTC", "USDT", "1m", NOW_MS, end_ms, 3, "overflow")
    assert batch.gaps == [gap]


def test_a_batch_of_one_row_holds_one_row() -> None:
    waiting = Waiting()
    waiting.tick(tick(0))
    waiting.candle(candle())
    first = waiting.batch(1, rows_max=1)
    second = waiting.batch(2, rows_max=1)
    assert first is not None
    assert second is not None
    assert (first.rows, second.rows, len(waiting)) == (1, 1, 0)
