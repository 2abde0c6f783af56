"""The reference price is the agreed one while it is fit to trade on, and no price otherwise."""

from decimal import Decimal

import pytest
from tests.unit.ingest.market import Market

from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import market as pair
from quantdesk.engines.orders.reference import Reference
from quantdesk.guard.check import Limits

SOL = pair("SOL-USDC")


class _Clock:
    """The time of a market."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def now_ms(self) -> int:
        return self._market.now_ms


def opened() -> tuple[Market, Reference]:
    """Return a market of two sources and the reference that reads its board."""
    market = Market()
    clock = _Clock(market)
    reference = Reference(board=market.board, limits=Limits, clock=clock)  # type: ignore[arg-type]
    market.oracle(1, "USDC")
    market.oracle(150, "SOL")
    market.oracle(150.3, "SOL", source="chainlink")
    return market, reference


def code_of(reference: Reference) -> str:
    """Return why there is no reference price."""
    with pytest.raises(Unavailable) as unfit:
        reference.fair(SOL)
    return unfit.value.code


def test_that_the_agreed_price_is_the_reference() -> None:
    market, reference = opened()
    assert reference.fair(SOL) == (Decimal("150.15"), market.now_ms - 200)


def test_that_sources_that_disagree_give_no_reference() -> None:
    market, reference = opened()
    reference.fair(SOL)
    for _ in range(3):
        market.oracle(157.5, "SOL", source="chainlink")
    assert code_of(reference) == "price.disagreement"


def test_that_an_unconfirmed_jump_gives_no_reference() -> None:
    market, reference = opened()
    market.oracle(0.9, "USDC")
    assert code_of(reference) == "price.unconfirmed"
    market.oracle(1, "USDC")
    assert reference.fair(SOL)[0] == Decimal("150.15")


def test_that_what_was_remembered_stands_no_longer_than_its_sources() -> None:
    market, reference = opened()
    market.now_ms += 4_000
    market.oracle(151, "SOL", source="chainlink", after_ms=0)
    market.oracle(1, "USDC", after_ms=0)
    assert reference.fair(SOL)[0] == Decimal("150.5")
    market.now_ms += 1_000
    assert reference.fair(SOL)[0] == Decimal(151), "the other has said nothing for five seconds"
    market.now_ms += 9_001
    assert code_of(reference) == "price.stale"


def test_that_sources_that_have_fallen_silent_are_a_reference_until_they_are_too_old() -> None:
    market, reference = opened()
    market.now_ms += 8_000
    assert reference.fair(SOL)[0] == Decimal("150.3"), "the last word of all"
