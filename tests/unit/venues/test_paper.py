"""The paper venue trades any size at the board's price and its fee, and at nothing else."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.venues import ground

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import MARKETS
from quantdesk.venues.paper import Paper
from quantdesk.venues.port import Venue

_SOL = MARKETS["SOL-USDC"]
_BASE, _QUOTE = _SOL.base.mint, _SOL.quote.mint


def test_is_a_venue_that_needs_nothing_of_a_chain() -> None:
    venue: Venue = Paper(price=lambda *_: (Decimal(1), 1, 1))

    venue.update(ground.missing("whatever"), seen_ms=1)

    assert (venue.name, venue.accounts()) == ("paper", ())


@given(
    price=st.decimals(min_value="0.000001", max_value="1000000", places=6),
    base_raw=st.integers(10**9, 10**18),
    fee_bps=st.integers(0, 500),
)
def test_trades_at_the_boards_price_rounded_against_the_trader(
    price: Decimal, base_raw: int, fee_bps: int
) -> None:
    venue = Paper(price=lambda _, now_ms: (price, 3, now_ms - 7), fee_bps=fee_bps)
    pool = ground.one(venue, _SOL, now_ms=100)

    bought = pool.exact_out(_QUOTE, base_raw)
    exact = price * base_raw / 10**3  # 9 decimals of SOL to 6 of USDC
    ask, bid = exact * (10_000 + fee_bps) / 10_000, exact * (10_000 - fee_bps) / 10_000

    assert ask <= bought.paid < ask + 1
    assert (bought.received, bought.fee_on_input) == (base_raw, True)
    assert abs(bought.paid - bought.fee - exact) < 2
    assert (pool.about.slot, pool.about.seen_ms) == (3, 93)
    assert pool.about.spot * 1000 == price
    if bid >= 1:
        sold = pool.exact_in(_BASE, base_raw)
        assert bid - 1 < sold.received <= bid
        assert sold.fee == base_raw * fee_bps // 10_000


@given(amount=st.integers(1, 10**18), sells=st.booleans(), fee_bps=st.integers(0, 500))
def test_gains_nobody_anything_there_and_back(amount: int, *, sells: bool, fee_bps: int) -> None:
    venue = Paper(price=lambda *_: (Decimal("150.25"), 1, 1), fee_bps=fee_bps)
    pool = ground.one(venue, _SOL)
    paid, back = (_BASE, _QUOTE) if sells else (_QUOTE, _BASE)

    with suppress(Refused):  # too little to bring anything
        there = pool.exact_in(paid, amount)
        assert pool.exact_out(paid, there.received).paid <= amount
        assert pool.exact_in(back, there.received).received <= amount


@pytest.mark.parametrize("later", [(Decimal(200), 1, 1), (Decimal(200), 2, 1)])
def test_follows_the_board_when_it_moves(later: tuple[Decimal, int, int]) -> None:
    said = iter([(Decimal(100), 1, 1), later])
    venue = Paper(price=lambda *_: next(said), fee_bps=0)

    costs = [ground.one(venue, _SOL).exact_out(_QUOTE, 10**9).paid for _ in range(2)]

    assert costs == [100_000_000, 200_000_000]


def test_tells_how_fresh_an_unchanged_price_is() -> None:
    said = iter([(Decimal(100), 1, 1), (Decimal(100), 2, 5)])
    venue = Paper(price=lambda *_: next(said))

    seen = [ground.one(venue, _SOL).about.seen_ms for _ in range(2)]

    assert seen == [1, 5]


def test_sells_no_dust_for_nothing() -> None:
    pool = ground.one(Paper(price=lambda *_: (Decimal(100), 1, 1)), _SOL)

    with pytest.raises(Refused) as refused:
        pool.exact_in(_BASE, 1)

    assert refused.value.code == "amount.too_small"


def test_trades_the_listed_pairs_alone() -> None:
    venue = Paper(price=lambda *_: (Decimal(100), 1, 1))

    with pytest.raises(Unavailable) as gone:
        venue.pools(frozenset((_BASE, MARKETS["BTC-USDC"].base.mint)), now_ms=1)

    assert gone.value.code == "pool.gone"


def test_says_what_the_board_says_when_it_has_no_price() -> None:
    def stale(_pair: str, _now_ms: int) -> tuple[Decimal, int, int]:
        raise Unavailable("too old", code="price.stale")

    with pytest.raises(Unavailable) as said:
        ground.one(Paper(price=stale), _SOL)

    assert said.value.code == "price.stale"
