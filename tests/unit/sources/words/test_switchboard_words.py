"""Crossbar's answers as prices: the median of the jobs, half their range, or `Corrupt`."""

import json
from contextlib import suppress
from decimal import Decimal
from statistics import median, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Oracle
from quantdesk.sources.words import switchboard

BTC = "4cSM2e6rvbGQUFiJbqytoVMi5GgghSMr8LwVrT9VPSPo"
ETH = "EAsoLo2uSvBDx3a5grqzfqBMg5RqpJVHRtXmjsFEc4LL"
FEED = switchboard.feed_of({"BTC": BTC, "ETH": ETH})
NOW_MS = 1_700_000_000_000


def said(*results: object, pubkey: str = BTC, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"feed": pubkey, "feedHash": "0x00", "results": [*results], **more}


def read(*answers: object) -> list[Oracle]:
    events = switchboard.read(json.dumps(answers).encode(), FEED, NOW_MS)
    assert all(isinstance(event, Oracle) for event in events)
    return [event for event in events if isinstance(event, Oracle)]


@pytest.mark.parametrize(
    ("results", "value", "deviation"),
    [
        ([61000], "61000", "0"),
        (["61000.5", 61001, "61010"], "61001", "4.75"),
        ([1.5, "2.5"], "2", "0.5"),
        (["0.000000000000123456789"], "0.000000000000123456789", "0"),
        (["1e3", 1000.0], "1000", "0"),
        (["100000000000.0000001", "100000000000.0000002"], "100000000000", "0.000001"),
        (["100", None, "NaN", "oops", 200, True], "150", "50"),
    ],
)
def test_that_the_price_is_the_median_and_the_confidence_half_the_range(
    results: list[object], value: str, deviation: str
) -> None:
    (event,) = read(said(*results))
    assert (event.symbol, event.currency) == ("BTC", "USD")
    assert (event.value, event.deviation) == (Decimal(value), Decimal(deviation))
    assert (event.event_ms, event.order) == (NOW_MS, 0)


@given(st.lists(st.decimals("0.000001", 10**9, places=6), min_size=1, max_size=9))
def test_that_the_median_is_kept_to_eighteen_digits_and_the_deviation_is_never_too_small(
    results: list[Decimal],
) -> None:
    (event,) = read(said(*(str(one) for one in results)))
    assert event.value == median(results)
    assert event.deviation >= (max(results) - min(results)) / 2
    assert float(event.deviation) >= pstdev(map(float, results)) * (1 - 1e-9)
    assert 0 < event.price < 1 << 63


def test_that_feeds_with_errors_or_nobody_asked_for_say_nothing() -> None:
    assert read(said(pubkey="x" * 44), said(1, pubkey=ETH), said(error="down")) == read(
        said(1, pubkey=ETH)
    )
    assert [event.symbol for event in read(said(1, pubkey=ETH))] == ["ETH"]
    assert read() == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (said(1), ""),
        (said(1, error=None), ""),
        (said(1, error="job 2 failed"), '"job 2 failed"'),
        (said(), "no results"),
        (said(1, "oops"), "1 of 2 results are no numbers"),
        ({"feed": BTC, "results": None}, "no results"),
    ],
)
def test_that_a_feeds_problem_is_told(answer: dict[str, Any], problem: str) -> None:
    (told,) = switchboard.answers(json.dumps([answer]).encode())
    assert told.problem == problem


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b'[{"feed":7}]', b"<html>", b"\xff", b"[1]"])
def test_that_another_shape_is_corrupt(data: bytes) -> None:
    with pytest.raises(Corrupt) as caught:
        switchboard.read(data, FEED, NOW_MS)
    assert caught.value.code == "message.unreadable"


@pytest.mark.parametrize("feed", ["", "ws", "simulate:", "simulate:BTC", "simulate:=x", FEED[:-9] + "!"])  # fmt: skip # noqa: E501
def test_that_an_answer_to_nobody_is_corrupt(feed: str) -> None:
    with pytest.raises(Corrupt) as caught:
        switchboard.read(b"[]", feed, NOW_MS)
    assert caught.value.code == "message.unreadable"


odd = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.from_regex(r"-?[0-9]{1,45}(\.[0-9]{1,45})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.lists(st.integers(), max_size=2),
)


@given(st.lists(odd, max_size=6), odd, st.binary(max_size=60))
def test_that_any_results_are_a_price_or_nothing(
    results: list[object], error: object, raw: bytes
) -> None:
    with suppress(Corrupt):
        for event in read(said(*results, error=error)):
            assert event.value.is_finite()
            assert event.deviation >= 0
    with suppress(Corrupt):
        switchboard.read(raw, FEED, NOW_MS)
