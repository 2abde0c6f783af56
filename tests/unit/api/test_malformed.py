"""What the decoder says of an order becomes words for a person, whatever was sent."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.api.malformed import HOW, cut, explained, repeated
from quantdesk.api.orders import NewOrderRequest

NAMES = {field.encode_name for field in msgspec.structs.fields(NewOrderRequest)}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(NAMES)), inner)
    ),
    max_leaves=5,
)


def refused(body: bytes) -> str | None:
    """Return what is told of a body, None when it is fine."""
    try:
        msgspec.json.decode(body, type=NewOrderRequest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        return explained(problem, body)
    return None


def test_knows_how_every_field_is_written() -> None:
    assert set(HOW) == NAMES


def test_means_the_same_by_a_body_as_before_there_was_a_priority() -> None:
    body = b'{"pair":"SOL-USDC","amount":1,"direction":"SELL"}'

    # Idempotency keys are kept with a hash of this, over upgrades.
    assert msgspec.json.encode(msgspec.json.decode(body, type=NewOrderRequest)) == (
        b'{"pair":"SOL-USDC","amount":1,"direction":"SELL","limitPrice":null,"slippageBps":50,'
        b'"idempotencyKey":null,"expiresAt":null,"quoteId":null}'
    )


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(sorted(NAMES), JSON)))
def test_speaks_of_fields_and_not_of_schemas(body: dict[str, Any]) -> None:
    told = refused(msgspec.json.encode(body))

    assert told is None or ("`" not in told and "Expected" not in told and len(told) < 250)


@given(st.binary(max_size=50))
def test_finds_words_for_any_bytes(body: bytes) -> None:
    told = refused(body)

    assert told is not None
    assert told
    assert "`" not in told


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"amount":1,"amount":2}', "amount"),
        (b'{"pair":"x","pair":"x","pair":"y"}', "pair"),
        (b'{"pair":"amount","amount":1,"idempotencyKey":"amount"}', None),
        (b'{"pair":"x"}', None),
        (b'{"amount":1,"pair":"pair","\\u0061mount":2}', "amount"),
    ],
)
def test_finds_the_field_that_is_there_twice(body: bytes, name: str | None) -> None:
    assert repeated(body) == name


def test_repeats_no_more_than_forty_characters() -> None:
    assert cut("x" * 40) == "x" * 40
    assert cut("x" * 41) == "x" * 40 + "…"
