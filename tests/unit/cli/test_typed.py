"""The promise: what a trader types is taken exactly, or refused with the way to write it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.port import Priority
from quantdesk.cli import typed
from quantdesk.cli.order import Wish
from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS


@given(st.from_regex(r"(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?", fullmatch=True))
def test_a_plain_number_is_kept_to_the_digit(text: str) -> None:
    if text.strip("0.") == "":
        with pytest.raises(Refused, match="above zero"):
            typed.number(text, "amount")
    else:
        assert typed.number(text, "amount") == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1,000", "did you mean 1000?"),
        ("1,000,000.5", "did you mean 1000000.5?"),
        (".5", "did you mean 0.5?"),
        ("007.5", "did you mean 7.5?"),
        ("10.5SOL", "did you mean 10.5?"),
        ("$150", "did you mean 150?"),
        ("1,5", "write it like 10.5"),
        ("1,0000", "write it like 10.5"),
        ("1e3", "write it like 10.5"),
        ("ten", "write it like 10.5"),
        ("NaN", "write it like 10.5"),
        ("-1", "write it like 10.5"),
        ("", "write it like 10.5"),
        ("٣", "write it like 10.5"),
    ],
)
def test_any_other_number_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        typed.number(text, "amount")
    assert refused.value.code == "number.unreadable"
    assert refused.value.detail.endswith(hint)


@pytest.mark.parametrize("text", ["SOL-USDC", "sol-usdc", "SOL/USDC", "solusdc", " Sol_Usdc "])
def test_a_pair_may_be_written_as_exchanges_do(text: str) -> None:
    assert typed.pair(text) == "SOL-USDC"


def test_an_unknown_pair_is_refused_with_the_nearest_and_all() -> None:
    with pytest.raises(Refused) as refused:
        typed.pair("SLO-USDC")
    assert refused.value.code == "pair.unknown"
    assert "did you mean SOL-USDC?" in refused.value.detail
    assert all(pair in refused.value.detail for pair in MARKETS)
    with pytest.raises(Refused, match="DOGE is not traded here: pairs are"):
        typed.pair("DOGE")


def test_a_wish_becomes_json_with_every_digit() -> None:
    wish = Wish("BUY", "10.500000000000000000001", "SOL-USDC", "0.10", 50)
    assert wish.body() == (
        b'{"pair":"SOL-USDC","amount":10.500000000000000000001,"direction":"BUY",'
        b'"slippageBps":50,"limitPrice":0.10}'
    )
    bare = Wish("SELL", "1", "SOL-USDC", None, 0)
    assert not any(name in bare.body() for name in (b"limitPrice", b"priority"))
    urgent = replace(bare, priority=Priority.URGENT)
    assert json.loads(urgent.body()) == {**json.loads(bare.body()), "priority": "urgent"}
