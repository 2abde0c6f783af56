"""A channel is followed by the rule: nothing lost goes unnoticed, nothing old is believed."""

import json
from typing import Any

import pytest

from quantdesk.cli.following import Back, Change, Hole, Known
from quantdesk.core.errors import Corrupt, Refused, Unavailable


def said(seq: int, *, key: str = "SOL", **state: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps({"ch": "prices", "key": key, "epoch": "e", "seq": seq, "t": "now", **state})


def snap(seq: int, state: object = 1, *, key: str = "SOL") -> str:
    return said(seq, key=key, snap=state)


def delta(seq: int, state: object = 2, *, key: str = "SOL") -> str:
    return said(seq, key=key, d=state)


def test_that_changes_are_told_in_order() -> None:
    known = Known("prices")
    assert json.loads(known.ask()) == {"op": "subscribe", "ch": "prices"}
    assert known.hear('{"ch":"hello","epoch":"e","t":"now","channels":["prices"]}') == Back()
    assert known.hear(snap(7, {"a": None})) == Change("SOL", b'{"a": null}', whole=True)
    assert known.hear(delta(8)) == Change("SOL", b"2", whole=False)
    assert known.hear(snap(0, None, key="BTC")) == Change("BTC", b"null", whole=True)
    assert known.hear(delta(1, key="BTC")) == Change("BTC", b"2", whole=False)


def test_that_a_hole_is_asked_for_once_and_closed_by_a_snapshot() -> None:
    known = Known("prices")
    known.hear(snap(1))
    hole = known.hear(delta(3))
    assert hole == Hole("SOL")
    assert json.loads(known.ask_again(hole)) == {"op": "resync", "ch": "prices", "keys": ["SOL"]}
    assert known.hear(delta(4)) is None
    assert known.hear(delta(2)) is None
    assert known.hear(snap(4)) == Change("SOL", b"1", whole=True)
    assert known.hear(delta(5)) == Change("SOL", b"2", whole=False)


def test_that_a_key_never_told_whole_is_a_hole() -> None:
    assert Known("prices").hear(delta(1)) == Hole("SOL")


def test_that_what_is_old_changes_nothing() -> None:
    known = Known("prices")
    known.hear(snap(5))
    assert known.hear(delta(5)) is None
    assert known.hear(delta(4)) is None
    assert known.hear(snap(3)) == Change("SOL", b"1", whole=True)
    assert known.hear(delta(4)) == Change("SOL", b"2", whole=False)


@pytest.mark.parametrize(
    "text",
    ['{"ch":"heartbeat","t":"now"}', '{"ch":"answer","op":"subscribe"}', '{"ch":"books","d":1}'],
)
def test_that_other_messages_change_nothing(text: str) -> None:
    assert Known("prices").hear(text) is None


def test_that_errors_of_the_desk_are_raised_as_they_were() -> None:
    told = {"ch": "error", "code": "channel.unknown", "detail": "no", "retryable": False}
    with pytest.raises(Refused, match="no"):
        Known("prices").hear(json.dumps(told))
    with pytest.raises(Unavailable):
        Known("prices").hear(json.dumps(told | {"retryable": True}))
    with pytest.raises(Corrupt):
        Known("prices").hear("<html>")
