"""Hermes messages become readings with the message's own numbers, or are refused."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from quantdesk.core.errors import Corrupt
from quantdesk.core.prices import Reading
from quantdesk.sources import hermes

BTC, ETH = hermes.FEEDS["BTC"], hermes.FEEDS["ETH"]


def update(feed: str = BTC, slot: int | None = 1, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    price = {"price": "9406377899526", "conf": "9401340350", "expo": -8, "publish_time": 1735645930}
    metadata = {"slot": slot, "proof_available_time": None, "prev_publish_time": None}
    return {"id": feed, "price": price | changes, "ema_price": price, "metadata": metadata}


def message(*updates: dict[str, Any]) -> bytes:
    return json.dumps(
        {"binary": {"encoding": "hex", "data": ["50"]}, "parsed": list(updates)}
    ).encode()


def heard(*messages: bytes) -> tuple[list[Reading], Counter[str]]:
    counts: Counter[str] = Counter()
    feeds = hermes.Feeds(source="pyth", counts=counts)
    found = [reading for one in messages for reading in feeds.readings(hermes.updates(one))]
    return found, counts


def test_that_an_update_keeps_every_digit() -> None:
    expected = Reading(
        "pyth", "BTC", Decimal("94063.77899526"), Decimal("94.01340350"), 1735645930_000
    )
    assert heard(message(update()))[0] == [expected]


@pytest.mark.parametrize("extra", [{"metadata": None}, {"metadata": {}}])
def test_that_metadata_may_be_missing(extra: dict[str, Any]) -> None:
    assert len(heard(message(update() | extra))[0]) == 1


def test_that_a_recorded_line_is_read_plain_and_wrapped() -> None:
    plain = message(update())
    wrapped = json.dumps({"source": "here", "message": json.loads(plain)}).encode()
    assert hermes.recorded_updates(plain) == hermes.recorded_updates(wrapped)


@pytest.mark.parametrize(
    "garbage",
    [b"", b"{", b"<html>", b"[]", b"{}", b'{"parsed":null}', b'{"parsed":[{"id":7}]}', b"\xff\xfe"],
)
def test_that_a_message_of_another_shape_is_corrupt(garbage: bytes) -> None:
    with pytest.raises(Corrupt) as caught:
        hermes.recorded_updates(garbage)
    assert caught.value.code == "message.unreadable"


@pytest.mark.parametrize(
    "broken",
    [
        {"price": "0"},
        {"price": "-5"},
        {"conf": "-1"},
        {"expo": 400},
        {"publish_time": 0},
        {"publish_time": 1735645930_000},
    ],
)
def test_that_one_dead_feed_does_not_silence_the_others(broken: dict[str, Any]) -> None:
    found, counts = heard(message(update(**broken), update(ETH)))
    assert [reading.symbol for reading in found] == ["ETH"]
    assert counts == {"unreadable": 1}


def test_that_an_unknown_feed_is_counted_and_passed_over() -> None:
    assert heard(message(update("0" * 64))) == ([], Counter(unknown=1))


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ({"publish_time": 1735645931, "slot": 5}, True),
        ({"publish_time": 1735645930, "slot": 11}, True),
        ({"publish_time": 1735645930, "slot": 10}, True),
        ({"publish_time": 1735645930, "slot": None}, True),
        ({"publish_time": 1735645930, "slot": 9}, False),
        ({"publish_time": 1735645929, "slot": 99}, False),
    ],
)
def test_that_time_then_slot_decide_what_is_older(second: dict[str, Any], *, told: bool) -> None:
    found, counts = heard(message(update(slot=10)), message(update(**second)))
    assert (len(found) == 2, counts["disordered"]) == (told, 0 if told else 1)
