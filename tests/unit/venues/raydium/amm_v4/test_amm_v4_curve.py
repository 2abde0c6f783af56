"""AMM v4 trades never cost the pool anything, and the router's curve tells of the same trades."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quantdesk.core.errors import Refused
from quantdesk.venues.port import About, Fill
from quantdesk.venues.raydium.amm_v4.curve import FeeRate, Reserves, exact_input, exact_output
from quantdesk.venues.raydium.amm_v4.layout import AmmAccount, Status
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Pool

_U64 = (1 << 64) - 1
_USUAL = FeeRate(25, 10_000)
_AMOUNTS = st.integers(1, _U64) | st.integers(1, 1_000)
_RESERVES = st.builds(Reserves, _AMOUNTS, _AMOUNTS)


@st.composite
def _rates(draw: st.DrawFn) -> FeeRate:
    denominator = draw(st.integers(1, 1_000_000))
    return FeeRate(draw(st.integers(0, denominator - 1)), denominator)


_RATES = st.just(_USUAL) | _rates()


def _or_none(amount: int, reserves: Reserves, rate: FeeRate, *, exact_in: bool) -> Fill | None:
    try:
        return (exact_input if exact_in else exact_output)(amount, reserves, rate)
    except Refused:
        return None


def _after(reserves: Reserves, fill: Fill) -> Reserves:
    """Return the reserves after a trade, as the opposite one sees them."""
    return Reserves(reserves.output_raw - fill.received, reserves.input_raw + fill.paid)


@given(amount=_AMOUNTS, reserves=_RESERVES, rate=_RATES, exact_in=st.booleans())
def test_that_the_product_of_the_reserves_never_falls(
    amount: int, reserves: Reserves, rate: FeeRate, *, exact_in: bool
) -> None:
    fill = _or_none(amount, reserves, rate, exact_in=exact_in)
    assume(fill is not None)
    assert fill
    assert (fill.paid if exact_in else fill.received) == amount
    after_fee = fill.paid - fill.fee
    product = (reserves.input_raw + after_fee) * (reserves.output_raw - fill.received)
    assert product >= reserves.input_raw * reserves.output_raw
    assert fill.fee * rate.denominator >= fill.paid * rate.numerator - rate.denominator
    assert fill.fee_on_input


@given(
    amounts=st.tuples(_AMOUNTS, _AMOUNTS),
    reserves=_RESERVES,
    rate=_RATES,
    exact_in=st.booleans(),
)
def test_that_more_never_brings_less_nor_costs_less(
    amounts: tuple[int, int], reserves: Reserves, rate: FeeRate, *, exact_in: bool
) -> None:
    less, more = (_or_none(amount, reserves, rate, exact_in=exact_in) for amount in sorted(amounts))
    if less and more:
        assert less.paid <= more.paid
        assert less.received <= more.received
    if exact_in:
        assert not less or more
    else:
        assert not more or less


@given(_AMOUNTS, _RESERVES, _RATES)
def test_that_a_round_trip_never_gains(amount: int, reserves: Reserves, rate: FeeRate) -> None:
    there = _or_none(amount, reserves, rate, exact_in=True)
    assume(there is not None)
    assert there
    back = _or_none(there.received, _after(reserves, there), rate, exact_in=True)
    assert back is None or back.received <= amount


@given(_AMOUNTS, _RESERVES, _RATES)
def test_that_what_an_exact_output_costs_buys_it(
    amount: int, reserves: Reserves, rate: FeeRate
) -> None:
    bought = _or_none(amount, reserves, rate, exact_in=False)
    assume(bought is not None)
    assert bought
    assert exact_input(bought.paid, reserves, rate).received >= amount


@given(_AMOUNTS, _RESERVES, _RATES)
def test_that_what_an_exact_input_brings_costs_no_more(
    amount: int, reserves: Reserves, rate: FeeRate
) -> None:
    sold = _or_none(amount, reserves, rate, exact_in=True)
    assume(sold is not None)
    assert sold
    assert exact_output(sold.received, reserves, rate).paid <= amount


@given(_AMOUNTS, _AMOUNTS, _AMOUNTS, _RATES, st.sampled_from(("first", "second")))
def test_that_the_routers_curve_is_the_exact_one_but_for_rounding(
    amount: int, first: int, second: int, rate: FeeRate, paid: str
) -> None:
    pool = _pool(first, second, rate)
    try:
        fill = pool.exact_in(paid, amount)
    except Refused:
        return
    (piece,) = pool.curve(paid)
    drawn = piece.price * amount / (1 + amount / piece.depth)
    # The fee is rounded by less than one unit of what is paid, the output by one of its own.
    rounding = 1 + piece.price / (1 - rate.numerator / rate.denominator)
    assert amount < piece.most
    assert abs(fill.received - drawn) <= 1e-9 * drawn + rounding


def _pool(first: int, second: int, rate: FeeRate) -> AmmV4Pool:
    mints = ("first", "second")
    about = About("raydium", "pool", "AMM v4", mints, Decimal(1), 1, 1, 1)
    account = AmmAccount(Status.SWAP_ONLY, (9, 6), rate, (0, 0), 0, ("a", "b"), mints)
    return AmmV4Pool(about, account, (first, second))


@pytest.mark.parametrize(
    ("amount", "reserves", "code"),
    [
        (1, Reserves(10**9, 10**9), "amount.too_small"),  # the fee takes it whole
        (100, Reserves(10**9, 10**6), "amount.too_small"),
        (10**6, Reserves(0, 10**9), "liquidity.insufficient"),
        (10**6, Reserves(10**9, 0), "liquidity.insufficient"),
    ],
)
def test_that_an_impossible_exact_input_is_refused_by_name(
    amount: int, reserves: Reserves, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        exact_input(amount, reserves, _USUAL)
    assert refused.value.code == code


@pytest.mark.parametrize("amount", [10**9, 10**9 + 1, _U64])
def test_that_an_exact_output_of_the_whole_reserve_is_refused(amount: int) -> None:
    with pytest.raises(Refused) as refused:
        exact_output(amount, Reserves(10**9, 10**9), _USUAL)
    assert refused.value.code == "liquidity.insufficient"


def test_that_a_price_of_64_bits_is_the_last_that_can_be_paid() -> None:
    free = FeeRate(0, 1)
    assert exact_output(1, Reserves(_U64, 2), free).paid == _U64
    with pytest.raises(Refused):
        exact_output(1, Reserves(_U64 + 1, 2), free)
