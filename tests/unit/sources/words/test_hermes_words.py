"""Hermes' messages as events: their own numbers, or `Corrupt`, whatever is in them."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Oracle
from quantdesk.sources.words import hermes
from quantdesk.sources.words.hermes import FEEDS

BTC, ETH = FEEDS["BTC"], FEEDS["ETH"]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["1", "-1", "9" * 5000, "1e5", BTC]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def update(feed: str = BTC, slot: int | None = 1, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    price = {"price": "9406377899526", "conf": "9401340350", "expo": -8, "publish_time": 1735645930}
    metadata = {"slot": slot, "proof_available_time": None, "prev_publish_time": None}
    return {"id": feed, "price": price | changes, "ema_price": price, "metadata": metadata}


def message(*updates: dict[str, Any]) -> bytes:
    return json.dumps({"binary": {"encoding": "hex", "data": []}, "parsed": updates}).encode()


def test_that_an_update_keeps_its_integers_its_time_and_its_slot() -> None:
    assert hermes.read(message(update(slot=7), update("0" * 64), update(ETH, None)), "sse") == [
        Oracle("BTC", "USD", 9406377899526, 9401340350, -8, 1735645930_000, 7),
        Oracle("ETH", "USD", 9406377899526, 9401340350, -8, 1735645930_000, 0),
    ]


@pytest.mark.parametrize("metadata", [None, {}, {"slot": None}])
def test_that_metadata_may_be_missing(metadata: dict[str, Any] | None) -> None:
    without = {name: said for name, said in update().items() if name != "metadata"}
    for one in (without, without | {"metadata": metadata}):
        (event,) = hermes.read(message(one), "sse")
        assert isinstance(event, Oracle)
        assert (event.price, event.order) == (9406377899526, 0)


@pytest.mark.parametrize(
    "dead", [{"price": "0"}, {"conf": "-1"}, {"expo": 400}, {"publish_time": 0}]
)
def test_that_a_feed_without_a_price_is_left_to_the_gate_and_silences_no_other(
    dead: dict[str, Any],
) -> None:
    events = hermes.read(message(update(**dead), update(ETH)), "sse")
    assert [event.symbol for event in events if isinstance(event, Oracle)] == ["BTC", "ETH"]


@pytest.mark.parametrize(
    "garbage",
    [
        *(
            b"",
            b"{",
            b"<html>",
            b"[]",
            b"{}",
            b'{"parsed":null}',
            b'{"parsed":[{"id":7}]}',
            b"\xff",
        ),
        message(update(price="9" * 5000)),
        message(update(price="1.5")),
        message(update(price="nan")),
        message(update(expo=10**9)),
        message(update(publish_time=1 << 63)),
        message(update(id="\ud800")),
    ],
    ids=lambda garbage: repr(garbage[-30:]),
)
def test_that_a_message_of_another_shape_is_corrupt(garbage: bytes) -> None:
    with pytest.raises(Corrupt) as caught:
        hermes.read(garbage, "sse")
    assert caught.value.code == "message.unreadable"


@given(st.data())
def test_that_any_message_is_read_or_corrupt(data: st.DataObject) -> None:
    one = update()
    path = data.draw(st.sampled_from([(), ("price",), ("metadata",)]))
    inside = one
    for key in path:
        inside = inside[key]
    inside[data.draw(st.sampled_from(sorted(inside)))] = data.draw(json_values)
    whole: dict[str, Any] = {"binary": {"encoding": "hex", "data": ["50"]}, "parsed": [one]}
    if data.draw(st.booleans()):
        whole["binary"] = data.draw(json_values)
    for raw in (json.dumps(whole).encode(), data.draw(st.binary(max_size=60))):
        _read_or_corrupt(raw)


def _read_or_corrupt(raw: bytes) -> None:
    with suppress(Corrupt):
        assert set(hermes.check(raw, ["BTC"])) == {"BTC"}
    with suppress(Corrupt):
        for one in hermes.read(raw, "sse"):
            assert isinstance(one, Oracle)
            assert one.value.is_finite()
            assert one.deviation.is_finite()
