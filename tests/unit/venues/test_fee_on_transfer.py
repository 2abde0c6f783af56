"""Whatever transfers of its tokens pay, a pool's quotes and its curve say the same of them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles.meteora import pools as dlmm
from tests.oracles.meteora_damm import pools as damm
from tests.oracles.raydium import clmm_pools as clmm
from tests.unit.venues import ground, minted
from tests.unit.venues.raydium.cpmm import world as cpmm

from quantdesk.core.errors import DeskError, Refused
from quantdesk.venues import curves
from quantdesk.venues.meteora.damm_v2 import layout
from quantdesk.venues.meteora.damm_v2.pool import DammV2Pool
from quantdesk.venues.meteora.dlmm.pool import DlmmPool
from quantdesk.venues.mints import NO_FEES, Fees
from quantdesk.venues.port import About, Fill, Piece, Pool
from quantdesk.venues.raydium.clmm.pool import ClmmPool
from quantdesk.venues.raydium.cpmm.pool import CpmmPool
from quantdesk.venues.transfer_fee import FREE, TransferFee

_RELATIVE: Final = 1e-9
_REFUSALS: Final = {"amount.too_small", "liquidity.insufficient"}


_Charged = CpmmPool | ClmmPool | DlmmPool | DammV2Pool
"""A snapshot of a pool whose tokens may pay transfer fees."""


def _cpmm() -> CpmmPool:
    pool = ground.one(cpmm.ready(cpmm.BTC), cpmm.BTC)
    assert isinstance(pool, CpmmPool)
    return pool


def _creators() -> CpmmPool:
    pool = _cpmm()
    charged = replace(pool.pool, creator_fee_on=1, creator_fee_enabled=True)
    return replace(pool, pool=charged, config=replace(pool.config, creator=20_000))


def _dlmm(*, only_y: int) -> DlmmPool:
    mints = (dlmm.MARKET.base.mint, dlmm.MARKET.quote.mint)
    about = About("meteora", "", "DLMM", mints, Decimal(1), 0, 0, 0)
    numbers = dlmm.Numbers(
        seed=2, bin_step=10, active_id=-1_610, below=100, above=100, bits=34, only_y=only_y
    )
    return DlmmPool(about, dlmm.decoded(numbers), dlmm.UPDATED_S + 1, None, ((), ()))


def _clmm() -> ClmmPool:
    numbers = clmm.of_positions([(place, 30, 10**12) for place in range(-420, 420, 30)], tick=17)
    return clmm.followed(clmm.accounts(numbers)).snapshot(now_ms=clmm.NOW_S * 1_000)


def _damm(*, fee_mode: int, range_bps: int = 0) -> DammV2Pool:
    numbers = damm.Numbers(
        seed=3,
        price_ppm=4_000_000,
        fee_mode=fee_mode,
        below_bps=range_bps,
        above_bps=range_bps,
        compounding_bps=5_000 if fee_mode == layout.COMPOUNDING else 0,
    )
    return damm.snapshot(damm.pool(numbers))


_POOLS: Final[dict[str, _Charged]] = {
    "CPMM": _cpmm(),
    "CPMM with a creator": _creators(),
    "DLMM": _dlmm(only_y=0),
    "DLMM with fees in Y": _dlmm(only_y=1),
    "CLMM": _clmm(),
    "DAMM v2": _damm(fee_mode=layout.FEE_ON_OUTPUT),
    "DAMM v2 with fees in B": _damm(fee_mode=layout.FEE_IN_B, range_bps=5_000),
    "DAMM v2 that compounds": _damm(fee_mode=layout.COMPOUNDING),
}
_EACH: Final = pytest.mark.parametrize("name", _POOLS)
_SHARES: Final = st.floats(1e-7, 0.9)
"""How much of what a pool takes, or holds, an amount is."""
_ANY_FEE: Final = minted.fees()
_EITHER, _TOKEN, _BPS, _REACHED = (
    st.booleans(),
    st.integers(0, 1),
    st.integers(1, 5_000),
    st.floats(0, 1),
)


def _with(name: str, fees: Fees) -> _Charged:
    return replace(_POOLS[name], transfer_fees=fees)


def _most(pool: Pool, paid: str) -> float:
    """Return about how much can be paid."""
    return sum(min(piece.most, 10 * piece.depth) for piece in pool.curve(paid))


@cache
def _most_without_fees(name: str, token: int) -> float:
    plain = _POOLS[name]
    return _most(plain, plain.about.mints[token])


def _fee(data: st.DataObject, most: float) -> TransferFee:
    """Draw a fee; many reach their most somewhere in the pool."""
    if data.draw(_EITHER):
        return data.draw(_ANY_FEE)
    bps = data.draw(_BPS)
    return TransferFee(bps, int(data.draw(_REACHED) * most * bps / 10_000))


def _asked(data: st.DataObject, name: str) -> tuple[_Charged, int, int]:
    """Return a pool with fees, the token paid, and an amount."""
    token = data.draw(_TOKEN)
    most = _most_without_fees(name, token)
    pool = _with(name, (_fee(data, most), _fee(data, most)))
    return pool, token, max(1, int(data.draw(_SHARES) * most))


def _tried(pool: Pool, paid: str, amount: int, *, exact_in: bool) -> Fill | DeskError:
    try:
        return (pool.exact_in if exact_in else pool.exact_out)(paid, amount)
    except Refused as refused:
        return refused


@_EACH
@given(data=st.data())
def test_that_a_trade_is_the_pools_own_between_two_transfers(
    name: str, data: st.DataObject
) -> None:
    pool, token, amount = _asked(data, name)
    paid = pool.about.mints[token]
    into, out = pool.transfer_fees[token], pool.transfer_fees[1 - token]
    fill = _tried(pool, paid, amount, exact_in=True)
    assert isinstance(fill, Fill) or fill.code in _REFUSALS
    if isinstance(fill, Fill):
        inside = _POOLS[name].exact_in(paid, into.after(amount))
        assert (fill.paid, fill.received) == (amount, out.after(inside.received))
        assert fill.fee >= inside.fee
    wanted = max(1, int(data.draw(_SHARES) * _POOLS[name].exact_in(paid, amount).received))
    bought = _tried(pool, paid, wanted, exact_in=False)
    assert isinstance(bought, Fill) or bought.code in _REFUSALS
    if isinstance(bought, Fill):
        inside = _POOLS[name].exact_out(paid, out.before(wanted))
        assert (bought.paid, bought.received) == (into.before(inside.paid), wanted)


@_EACH
@given(data=st.data())
def test_that_what_exact_out_pays_buys_at_least_what_was_asked(
    name: str, data: st.DataObject
) -> None:
    pool, token, amount = _asked(data, name)
    paid = pool.about.mints[token]
    sold = _tried(pool, paid, amount, exact_in=True)
    if isinstance(sold, DeskError):
        return
    bought = _tried(pool, paid, sold.received, exact_in=False)
    assert isinstance(bought, Fill)
    assert bought.received == sold.received
    again = pool.exact_in(paid, bought.paid)
    assert again.received >= bought.received


@_EACH
@given(data=st.data())
def test_that_a_round_trip_never_gains(name: str, data: st.DataObject) -> None:
    pool, token, amount = _asked(data, name)
    there = _tried(pool, pool.about.mints[token], amount, exact_in=True)
    if isinstance(there, DeskError):
        return
    back = _tried(pool, pool.about.mints[1 - token], there.received, exact_in=True)
    assert isinstance(back, DeskError) or back.received <= amount


@_EACH
@given(data=st.data())
def test_that_a_larger_fee_never_brings_more(name: str, data: st.DataObject) -> None:
    pool, token, amount = _asked(data, name)
    paid = pool.about.mints[token]
    fill = _tried(pool, paid, amount, exact_in=True)
    dearer = tuple(
        TransferFee(data.draw(st.integers(fee.bps, 10_000)), fee.most) for fee in pool.transfer_fees
    )
    more = _tried(_with(name, (dearer[0], dearer[1])), paid, amount, exact_in=True)
    if isinstance(more, Fill):
        assert isinstance(fill, Fill)
        assert fill.received >= more.received
        assert fill.received <= _POOLS[name].exact_in(paid, amount).received


def _received(curve: Sequence[Piece], paid: float) -> float:
    received = 0.0
    for piece in curve:
        part = min(paid, piece.most)
        received += curves.given(piece, part)
        paid -= part
        if paid <= 0:
            break
    return received


@_EACH
@settings(deadline=None)
@given(data=st.data())
def test_that_the_curve_promises_no_less_and_gets_dearer(name: str, data: st.DataObject) -> None:
    pool, token, amount = _asked(data, name)
    paid = pool.about.mints[token]
    curve = pool.curve(paid)
    assert all(piece.price > 0 and piece.most > 0 for piece in curve)
    for piece, following in pairwise(curve):
        assert piece.price / (1 + piece.most / piece.depth) ** 2 >= following.price
    fill = _tried(pool, paid, amount, exact_in=True)
    if isinstance(fill, Fill):
        assert _received(curve, amount) >= fill.received * (1 - _RELATIVE)


@_EACH
@pytest.mark.parametrize("token", [0, 1])
@pytest.mark.parametrize("bps", [1, 100, 9_999])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5])
def test_that_a_share_without_a_most_is_drawn_as_it_is(
    name: str, token: int, bps: int, share: float
) -> None:
    fee = TransferFee(bps, minted.U64_MAX)
    pool = _with(name, (fee, fee))
    paid = pool.about.mints[token]
    amount = int(_most(pool, paid) * share)
    roundings = 4 * sum(1 + piece.price for piece in pool.curve(paid))
    promised, given_ = _received(pool.curve(paid), amount), pool.exact_in(paid, amount).received
    assert promised - given_ <= given_ * _RELATIVE + roundings


@_EACH
@pytest.mark.parametrize("token", [0, 1])
@pytest.mark.parametrize("side", [0, 1])
def test_that_far_from_where_the_most_is_reached_the_curve_is_exact(
    name: str, token: int, side: int
) -> None:
    plain = _POOLS[name]
    paid = plain.about.mints[token]
    middle = int(_most(plain, paid) * 0.05)
    kink = middle if side == token else plain.exact_in(paid, middle).received
    charged = TransferFee(10, kink // 1_000)
    pool = _with(name, (charged, FREE) if side == 0 else (FREE, charged))
    curve = pool.curve(paid)
    roundings = 4 * sum(1 + piece.price for piece in curve)
    off = [
        _received(curve, amount) - pool.exact_in(paid, amount).received
        for amount in (middle // 100, middle, middle * 15)
    ]
    least = pool.exact_in(paid, middle).received * 1e-4
    assert off[0] <= roundings
    assert off[2] <= roundings + pool.exact_in(paid, middle * 15).received * _RELATIVE
    assert 0 < off[1] < least * 50


@_EACH
def test_that_without_fees_nothing_changes(name: str) -> None:
    plain = _POOLS[name]
    assert plain.transfer_fees == NO_FEES
    never = _with(name, (TransferFee(0, 10**9), TransferFee(100, 0)))
    for paid in plain.about.mints:
        amount = int(_most(plain, paid) * 0.3)
        assert list(never.curve(paid)) == list(plain.curve(paid))
        assert never.exact_in(paid, amount) == plain.exact_in(paid, amount)
