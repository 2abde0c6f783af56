"""A CLMM pool follows what its price hangs on, names what it cannot do, and never guesses."""

from bisect import bisect_left
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as state_replace
from tests.oracles.raydium import clmm_pools as pools

from quantdesk.chains.port import AccountMeta, AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.following import Pools
from quantdesk.venues.port import Pool, Swap
from quantdesk.venues.raydium.clmm import layout, swap
from quantdesk.venues.raydium.clmm.pool import ARRAYS_EACH_SIDE, ClmmFollowed, ClmmPool
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM

_NOW_MS: Final = pools.NOW_S * 1_000
# Positions in steps of half an array, so that every array from -7 to 7 is initialized.
_WIDE: Final = pools.of_positions([(place, 30, 10**12) for place in range(-420, 420, 30)], tick=17)
_ACCOUNTS: Final = pools.accounts(_WIDE)
_STARTS: Final = range(-4 * 3_600, 5 * 3_600, 3_600)
_FINE: Final = pools.of_positions([(-90, 180, 10**14), (-40_000, 80_000, 10**10)], spacing=1)
_TOKEN_0, _TOKEN_1 = pools.MINTS


def _at(start: int) -> str:
    return layout.tick_array_address(pools.ADDRESS, start)


def _extension() -> str:
    return layout.extension_address(pools.ADDRESS)


def _ready(numbers: pools.Numbers = _WIDE, *, now_ms: int = _NOW_MS) -> ClmmPool:
    return pools.followed(pools.accounts(numbers)).snapshot(now_ms=now_ms)


def _reason(followed: ClmmFollowed, *, now_ms: int = _NOW_MS) -> DeskError:
    with pytest.raises(DeskError) as error:
        followed.snapshot(now_ms=now_ms)
    return error.value


def _swap(paid: str, amount: int, *, exact_in: bool = True) -> Swap:
    return Swap(
        paid=paid,
        exact_in=exact_in,
        amount=amount,
        limit=77,
        owner="owner",
        paid_from="from",
        received_in="to",
    )


def test_that_a_pool_names_the_accounts_its_price_hangs_on() -> None:
    followed = ClmmFollowed(pools.ADDRESS)
    assert followed.accounts() == (pools.ADDRESS,)
    assert followed.mints == frozenset()
    followed.update(_ACCOUNTS[pools.ADDRESS], seen_ms=1)
    named = (pools.ADDRESS, pools.CONFIG, *pools.VAULTS)
    assert followed.accounts() == (*named, *pools.MINTS, *map(_at, _STARTS))
    for vault in pools.VAULTS:  # which tell that transfers of their tokens are free
        followed.update(_ACCOUNTS[vault], seen_ms=1)
    assert followed.accounts() == (*named, *map(_at, _STARTS))
    assert followed.mints == frozenset(pools.MINTS)


def test_that_a_snapshot_is_a_pool_as_of_the_pools_own_slot() -> None:
    followed = pools.followed(_ACCOUNTS, seen_ms=5_000)
    followed.update(state_replace(_ACCOUNTS[_at(0)], slot=99), seen_ms=9_000)
    pool: Pool = followed.snapshot(now_ms=_NOW_MS)
    about = pool.about
    assert (about.venue, about.kind, about.address) == ("raydium", "CLMM", pools.ADDRESS)
    assert about.mints == pools.MINTS
    assert (about.slot, about.seen_ms) == (pools.SLOT, 5_000)
    assert abs(float(about.spot) / 1.0001 ** (17 + 1 / 3) - 1) < 1e-9
    assert isinstance(about.spot, Decimal)


def test_that_a_snapshot_stays_until_something_changes() -> None:
    followed = pools.followed(_ACCOUNTS)
    first = followed.snapshot(now_ms=_NOW_MS)
    assert followed.snapshot(now_ms=_NOW_MS + 60_000) is first
    followed.update(_ACCOUNTS[_at(0)], seen_ms=2)
    assert followed.snapshot(now_ms=_NOW_MS) is not first


def test_that_a_fee_that_depends_on_the_time_follows_the_clock() -> None:
    dynamic = (30, 600, 5_000, 60_000, 350_000, 0, 300_000, 300_000, pools.NOW_S)
    followed = pools.followed(pools.accounts(replace(_WIDE, dynamic=dynamic)))
    hot = followed.snapshot(now_ms=_NOW_MS)
    assert followed.snapshot(now_ms=_NOW_MS + 999) is hot
    calm = followed.snapshot(now_ms=_NOW_MS + 600_000)
    fees = [pool.exact_in(_TOKEN_0, 10**9).fee for pool in (hot, calm)]
    assert fees[0] > 5 * fees[1]


@pytest.mark.parametrize("paid", pools.MINTS)
def test_that_quotes_are_those_of_the_swap(paid: str) -> None:
    pool, market = _ready(), pools.decoded(_WIDE)
    down = paid == _TOKEN_0
    given_ = pool.exact_in(paid, 10**10)
    outcome = swap.exact_in(market, 10**10, down=down)
    assert (given_.paid, given_.received, given_.fee) == (10**10, outcome.received, outcome.fee)
    assert given_.fee_on_input
    taken = pool.exact_out(paid, 10**10)
    outcome = swap.exact_out(market, 10**10, down=down)
    assert (taken.paid, taken.received, taken.fee) == (outcome.paid, 10**10, outcome.fee)


def test_that_a_fee_may_be_in_the_token_received() -> None:
    pool = _ready(replace(_WIDE, fee_on=2))
    assert not pool.exact_in(_TOKEN_0, 10**9).fee_on_input
    assert pool.exact_in(_TOKEN_1, 10**9).fee_on_input


def test_that_the_arrays_followed_move_with_the_price() -> None:
    followed = pools.followed(_ACCOUNTS)
    moved = replace(pools.of_positions([], tick=7_201), ticks=_WIDE.ticks, liquidity=10**12)
    followed.update(pools.accounts(moved, slot=11)[pools.ADDRESS], seen_ms=2)
    assert set(followed.accounts()[4:]) == {_at(start) for start in range(-7_200, 25_000, 3_600)}
    # Those ahead are not seen yet: their liquidity is not there.
    pool = followed.snapshot(now_ms=_NOW_MS)
    with pytest.raises(Unavailable) as incomplete:
        pool.exact_in(_TOKEN_1, 1 << 60)
    assert incomplete.value.code == "pool.incomplete"
    before = sum(piece.most for piece in pool.curve(_TOKEN_1))
    pools.followed(pools.accounts(moved, slot=12), followed)
    assert sum(p.most for p in followed.snapshot(now_ms=_NOW_MS).curve(_TOKEN_1)) > before
    # And what has left is forgotten.
    back = pools.accounts(_WIDE, slot=13)
    followed.update(back[pools.ADDRESS], seen_ms=3)
    with pytest.raises(Unavailable):
        followed.snapshot(now_ms=_NOW_MS).exact_in(_TOKEN_0, 1 << 60)


def test_that_liquidity_beyond_the_arrays_followed_is_not_there() -> None:
    pool = _ready()
    everything = sum(piece.most for piece in pool.curve(_TOKEN_0))
    assert pool.exact_in(_TOKEN_0, int(everything) - 100).received
    with pytest.raises(Refused) as refused:
        pool.exact_in(_TOKEN_0, int(everything * 1.01))
    assert refused.value.code == "liquidity.insufficient"
    assert swap.exact_in(pools.decoded(_WIDE), int(everything * 1.01), down=True).received


@pytest.mark.parametrize("missing", range(5))
def test_that_nothing_is_quoted_before_what_it_hangs_on_is_known(missing: int) -> None:
    needed = [pools.ADDRESS, pools.CONFIG, *pools.VAULTS, _at(0)]
    states = {at: state for at, state in _ACCOUNTS.items() if at != needed[missing]}
    code = "pool.incomplete" if missing == 4 else "pool.gone"
    assert _reason(pools.followed(states)).code == code


@pytest.mark.parametrize("number", range(5))
def test_that_an_unreadable_account_stops_its_pool_until_it_is_readable(number: int) -> None:
    followed = pools.followed(_ACCOUNTS)
    state = _ACCOUNTS[[pools.ADDRESS, pools.CONFIG, *pools.VAULTS, _at(0)][number]]
    is_vault = number in {2, 3}
    for damage, code in (
        ({"data": b""}, "account.missing"),
        ({"data": state.data[:100]}, "account.unreadable"),
        ({"data": bytes(len(state.data))}, "account.unreadable"),
        ({"owner": pools.key(99)}, "account.foreign"),
    ):
        with pytest.raises(Corrupt) as corrupt:
            followed.update(state_replace(state, **damage), seen_ms=2)
        assert corrupt.value.code == code or is_vault
        assert _reason(followed).code == ("pool.incomplete" if number == 4 else "pool.gone")
        pools.followed(_ACCOUNTS, followed)
        assert followed.snapshot(now_ms=_NOW_MS).exact_in(_TOKEN_0, 10**6).received


def test_that_a_vault_of_another_owner_or_mint_is_foreign() -> None:
    followed = pools.followed(_ACCOUNTS)
    state = _ACCOUNTS[pools.VAULTS[0]]
    for data in (pools.token_data(_TOKEN_1, 5), pools.token_data(_TOKEN_0, 5, owner=_TOKEN_1)):
        with pytest.raises(Corrupt) as corrupt:
            followed.update(state_replace(state, data=data), seen_ms=2)
        assert corrupt.value.code == "account.foreign"


@pytest.mark.parametrize(
    ("numbers", "kind", "code"),
    [
        (replace(_WIDE, status=16), Unavailable, "pool.disabled"),
        (replace(_WIDE, open_time_s=pools.NOW_S), Unavailable, "pool.not_open"),
    ],
)
def test_that_a_pool_that_cannot_trade_says_why(
    numbers: pools.Numbers, kind: type[DeskError], code: str
) -> None:
    reason = _reason(pools.followed(pools.accounts(numbers)))
    assert isinstance(reason, kind)
    assert reason.code == code


def test_that_a_pool_opens_after_its_second() -> None:
    followed = pools.followed(pools.accounts(replace(_WIDE, open_time_s=pools.NOW_S)))
    assert followed.snapshot(now_ms=_NOW_MS + 1_000).exact_in(_TOKEN_0, 10**6).received


@pytest.mark.parametrize(("paid", "held"), [(_TOKEN_0, (1 << 60, 999)), (_TOKEN_1, (999, 1 << 60))])
def test_that_a_vault_gives_no_more_than_it_holds(paid: str, held: tuple[int, int]) -> None:
    pool = pools.followed(pools.accounts(_WIDE, held=held)).snapshot(now_ms=_NOW_MS)
    assert pool.exact_out(paid, 999).received == 999
    for trade, amount in ((pool.exact_out, 1_000), (pool.exact_in, 10**6)):
        with pytest.raises(Refused) as refused:
            trade(paid, amount)
        assert refused.value.code == "liquidity.insufficient"
    assert not pool.curve(paid)


def test_that_a_pool_without_liquidity_has_none() -> None:
    pool = _ready(replace(_WIDE, ticks={}, liquidity=0))
    assert not pool.curve(_TOKEN_0)
    with pytest.raises(Refused) as refused:
        pool.exact_in(_TOKEN_0, 10**6)
    assert refused.value.code == "liquidity.insufficient"


def test_that_the_bitmap_extension_is_followed_where_arrays_may_lie_beyond() -> None:
    states = pools.accounts(_FINE)
    followed = pools.followed({pools.ADDRESS: states[pools.ADDRESS]})
    assert _extension() in followed.accounts()
    assert _at(40_000 // 60 * 60) not in followed.accounts()
    pools.followed(states, followed)
    far = _at(40_000 // 60 * 60)
    assert far in followed.accounts()
    pool = followed.snapshot(now_ms=_NOW_MS)
    assert pool.extension == _extension()
    assert _extension() in [meta.address for meta in pool.instruction(_swap(_TOKEN_0, 5)).accounts]
    # Without one, only the pool's own map counts.
    followed.update(state_replace(states[_extension()], data=b"", owner=""), seen_ms=2)
    assert far not in followed.accounts()
    assert followed.snapshot(now_ms=_NOW_MS).extension is None
    # And one that makes no sense is not one.
    with pytest.raises(Corrupt):
        followed.update(state_replace(states[_extension()], data=b"x"), seen_ms=2)
    assert followed.snapshot(now_ms=_NOW_MS).extension is None


def test_that_the_extension_is_left_alone_where_no_array_can_lie_beyond() -> None:
    assert _extension() not in pools.followed(_ACCOUNTS).accounts()


@pytest.mark.parametrize("paid", pools.MINTS)
@pytest.mark.parametrize("exact_in", [True, False])
def test_that_the_call_names_every_account(paid: str, *, exact_in: bool) -> None:
    call = _ready().instruction(_swap(paid, 10**6, exact_in=exact_in))
    into = pools.MINTS.index(paid)
    assert call.program == layout.PROGRAM
    amounts = (10**6).to_bytes(8, "little") + (77).to_bytes(8, "little")
    assert call.data == bytes.fromhex("2b04ed0b1ac91e62") + amounts + bytes(16) + bytes([exact_in])
    addresses = [meta.address for meta in call.accounts]
    assert addresses[:13] == [
        *("owner", pools.CONFIG, pools.ADDRESS, "from", "to"),
        *(pools.VAULTS[into], pools.VAULTS[1 - into], pools.OBSERVATION),
        *(TOKEN_PROGRAM, TOKEN_2022, "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"),
        *(pools.MINTS[into], pools.MINTS[1 - into]),
    ]
    assert call.accounts[0] == AccountMeta("owner", is_signer=True, is_writable=False)
    assert not any(meta.is_signer for meta in call.accounts[1:])
    written = [number for number, meta in enumerate(call.accounts) if meta.is_writable]
    assert written == [2, 3, 4, 5, 6, 7, *range(13, len(addresses))]


@pytest.mark.parametrize(("paid", "way"), [(_TOKEN_0, -1), (_TOKEN_1, 1)])
def test_that_the_call_names_the_arrays_crossed_one_beyond_and_one_behind(
    paid: str, way: int
) -> None:
    pool = _ready()

    def places(amount: int) -> list[int]:
        arrays = [meta.address for meta in pool.instruction(_swap(paid, amount)).accounts[13:]]
        starts = {_at(start): start // 3_600 * way for start in _STARTS}
        return [starts[at] for at in arrays]

    assert places(10**6) == [-1, 0, 1]
    assert places(15 * 10**10) == [-1, 0, 1, 2]
    assert places(1 << 60) == [-1, 0, 1, 2, 3, 4]
    assert len(pool.arrays[0]) == ARRAYS_EACH_SIDE


@pytest.mark.parametrize(
    ("moves", "measured"),
    [(2, 64_506), (6, 139_641), (13, 260_348), (31, 568_989), (61, 1_083_491)],
)
def test_that_the_compute_units_count_the_ticks_crossed(moves: int, measured: int) -> None:
    """Hold them against what the real program took of these very swaps."""
    ladder = [(place, 1, 10**13 + place * 10**9) for place in range(-150, 150)]
    made = _ready(pools.of_positions(ladder, spacing=10, tick=30))
    amounts = range(10**6, 35 * 10**10)
    least = bisect_left(
        amounts, moves, key=lambda one: swap.exact_in(made.market, one, down=True).moves
    )

    fill = made.exact_in(pools.MINTS[0], amounts[least])

    assert measured < made.about.compute_units + fill.more_units < measured * 1.3


def test_that_it_is_followed_among_the_pools_of_a_venue() -> None:
    venue = Pools("raydium", [ClmmFollowed(pools.ADDRESS)])
    given_: set[str] = set()
    while wanted := [at for at in venue.accounts() if at in _ACCOUNTS and at not in given_]:
        for at in wanted:
            venue.update(_ACCOUNTS[at], seen_ms=1)
            given_.add(at)
    (pool,) = venue.pools(frozenset(pools.MINTS), now_ms=_NOW_MS)
    assert pool.about.kind == "CLMM"


def _spoiled(
    states: Mapping[str, AccountState], spoils: list[tuple[int, bytes]]
) -> dict[str, AccountState]:
    spoiled = {}
    for at, state in states.items():
        data = bytearray(state.data)
        for offset, value in spoils:
            place = 8 + offset % (len(data) - 16)
            data[place : place + len(value)] = value
        spoiled[at] = state_replace(state, data=bytes(data))
    return spoiled


_NAMED: Final = {
    *("filled", "pool.gone", "pool.disabled", "pool.not_open", "pool.incomplete"),
    *("pool.unsupported", "liquidity.insufficient", "amount.too_small"),
}


@settings(deadline=None)
@given(
    spoils=st.lists(
        st.tuples(st.integers(0, 10_240), st.binary(min_size=1, max_size=8)), max_size=4
    ),
    only=st.sampled_from(sorted(_ACCOUNTS)),
    amount=st.integers(0, 1 << 65),
    exact_in=st.booleans(),
    paid=st.sampled_from(pools.MINTS),
)
def test_that_any_bytes_give_a_quote_or_a_named_error(
    spoils: list[tuple[int, bytes]], only: str, amount: int, *, exact_in: bool, paid: str
) -> None:
    followed = pools.followed(_ACCOUNTS)
    with suppress(Corrupt):
        followed.update(_spoiled({only: _ACCOUNTS[only]}, spoils)[only], seen_ms=2)
    if followed.mints != frozenset(pools.MINTS):
        return  # no venue would offer it for these tokens
    try:
        pool = followed.snapshot(now_ms=_NOW_MS)
        list(pool.curve(paid))
        trade = pool.exact_in if exact_in else pool.exact_out
        trade(paid, amount)
        said = "filled"
    except DeskError as error:
        said = error.code
    assert said in _NAMED
