"""Whatever bytes a pool's accounts hold, of any kind: a trade its vaults can pay, or a name."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.venues import ground
from tests.unit.venues.five import BASE, KINDS, QUOTE, SOL, Kind

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError
from quantdesk.venues.following import Pools
from quantdesk.venues.meteora.dlmm.pool import DlmmPool
from quantdesk.venues.port import Fill, Pool
from quantdesk.venues.reading import TOKEN_ACCOUNT_BYTES

_KINDS: Final = {kind.name: kind for kind in KINDS}
_EACH: Final = pytest.mark.parametrize("name", _KINDS)
_NAMED: Final = {
    "amount.too_small", "bin.unrepresentable", "decimals.mismatch", "liquidity.insufficient",
    "pool.disabled", "pool.gone", "pool.incomplete", "pool.not_open", "pool.unsupported",
}  # fmt: skip
_U64: Final = 1 << 64
_PLACES: Final = st.integers(0, 1 << 14)
_WRITES: Final = st.lists(st.tuples(_PLACES, st.binary(min_size=1, max_size=16)), max_size=6)
_FLIPS: Final = st.lists(st.tuples(_PLACES, st.integers(0, 7)), max_size=6)
_LENGTHS: Final = st.sampled_from([0, 0, 0, 0, 0, 0, -1, 1, -40])
_AMOUNTS: Final = st.integers(1, _U64 - 1) | st.integers(1, 10**12)


def _spoiled(
    state: AccountState,
    writes: Sequence[tuple[int, bytes]],
    flips: Sequence[tuple[int, int]],
    longer: int,
) -> AccountState:
    data = bytearray(state.data)
    for place, value in writes:
        at = place % len(data)
        data[at : at + len(value)] = value[: len(data) - at]
    for place, bit in flips:
        data[place % len(data)] ^= 1 << bit
    data = data + bytes(longer) if longer >= 0 else data[:longer]
    return replace(state, data=bytes(data), slot=ground.SLOT + 1)


def _held(kind: Kind, pool: Pool, mint: str, states: Mapping[str, AccountState]) -> int:
    """Return what the pool can pay out at most, as its accounts say now."""
    if isinstance(pool, DlmmPool):
        bins = [one for array in pool.pool.arrays.values() for one in array.bins]
        x = mint == pool.pool.pair.mint_x
        own = sum(one.amount_x if x else one.amount_y for one in bins)
        return own + sum(one.orders_open + one.orders_processed for one in bins)
    data = states[kind.vaults[mint]].data
    assert len(data) >= TOKEN_ACCOUNT_BYTES
    return int.from_bytes(data[64:72], "little")


def _standing(venue: Pools) -> Pool | str:
    try:
        return ground.one(venue, SOL)
    except DeskError as reason:
        return reason.code


def _quoted(pool: Pool, paid: str, amount: int, *, exact_in: bool) -> Fill | str:
    try:
        return (pool.exact_in if exact_in else pool.exact_out)(paid, amount)
    except DeskError as refusal:
        return refusal.code


_NET_FLIPPED: Final = (2_239, 0)
"""A bit of what joins at a tick of the CLMM: after it more liquidity leaves than there is."""


@_EACH
@example(which=33, writes=[], flips=[_NET_FLIPPED], longer=0, amounts=(1, 1))
@given(
    which=st.integers(0, 99), writes=_WRITES, flips=_FLIPS, longer=_LENGTHS,
    amounts=st.tuples(_AMOUNTS, _AMOUNTS),
)  # fmt: skip
def test_that_any_bytes_are_a_trade_or_a_named_refusal(
    name: str,
    which: int,
    writes: Sequence[tuple[int, bytes]],
    flips: Sequence[tuple[int, int]],
    longer: int,
    amounts: tuple[int, int],
) -> None:
    kind = _KINDS[name]
    venue, states = kind.made(), dict(kind.states)
    known = [at for at in venue.accounts() if at in states]
    address = known[which % len(known)]
    states[address] = _spoiled(states[address], writes, flips, longer)

    with suppress(Corrupt):
        venue.update(states[address], seen_ms=1)
    pool = _standing(venue)
    if isinstance(pool, str):
        assert pool in _NAMED
        return
    for paid, received in ((BASE, QUOTE), (QUOTE, BASE)):
        curve = list(pool.curve(paid))
        assert all(piece.most > 0 and piece.price > 0 for piece in curve)
        for exact_in, amount in zip((True, False), amounts, strict=True):
            said = _quoted(pool, paid, amount, exact_in=exact_in)
            if isinstance(said, Fill):
                assert said.paid > 0
                assert 0 < said.received <= _held(kind, pool, received, states)
            else:
                assert said in _NAMED


@_EACH
@given(amount=_AMOUNTS, sells=st.booleans())
def test_that_a_sound_pool_never_pays_out_what_it_does_not_hold(
    name: str, amount: int, *, sells: bool
) -> None:
    kind = _KINDS[name]
    pool = ground.one(kind.made(), SOL)
    paid, received = (BASE, QUOTE) if sells else (QUOTE, BASE)
    held = _held(kind, pool, received, kind.states)
    sold = _quoted(pool, paid, amount, exact_in=True)
    bought = _quoted(pool, paid, amount, exact_in=False)
    assert isinstance(sold, str) or sold.received < held
    assert isinstance(bought, str) is (amount >= held) or bought == "liquidity.insufficient"
    assert isinstance(_quoted(pool, paid, held + 1, exact_in=False), str)
