"""A DAMM v2 pool trades once its account and vaults are read, and says why when it does not."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.oracles.meteora_damm import pools
from tests.oracles.meteora_damm.pools import ADDRESS, MINT_A, MINT_B, OPENED, VAULTS, Numbers

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.following import Pools
from quantdesk.venues.meteora.damm_v2 import layout
from quantdesk.venues.meteora.damm_v2.pool import SLOT_MS, FollowedDammV2
from quantdesk.venues.reading import TOKEN_PROGRAM

_MADE = pools.pool(Numbers(seed=1, price_ppm=4_000_000))
_NOW_MS = OPENED * 1_000
_PAIR = frozenset({MINT_A, MINT_B})


def _as_of(state: AccountState, slot: int) -> AccountState:
    return AccountState(state.address, state.data, state.owner, slot)


def _reason(known: FollowedDammV2, now_ms: int = _NOW_MS) -> DeskError:
    with pytest.raises((Refused, Unavailable)) as reason:
        known.snapshot(now_ms=now_ms)
    return reason.value


def test_that_the_pool_account_names_the_vaults_to_follow() -> None:
    known = FollowedDammV2(ADDRESS)
    assert known.accounts() == (ADDRESS,)
    assert known.mints == frozenset()

    known.update(pools.states(_MADE)[0], seen_ms=1)

    assert known.accounts() == (ADDRESS, *VAULTS)
    assert known.mints == _PAIR
    assert known.address == ADDRESS


def test_that_a_pool_waits_for_all_its_accounts() -> None:
    known = FollowedDammV2(ADDRESS)
    own, vault_a, vault_b = pools.states(_MADE)

    assert _reason(known).code == "pool.gone"
    known.update(own, seen_ms=1)
    known.update(vault_a, seen_ms=1)
    assert _reason(known).code == "pool.incomplete"
    known.update(vault_b, seen_ms=1)
    assert known.snapshot(now_ms=_NOW_MS).exact_in(MINT_A, 1_000_000).received


def test_that_a_snapshot_says_what_it_is_and_how_old() -> None:
    known = FollowedDammV2(ADDRESS)
    for number, state in enumerate(pools.states(_MADE)):
        known.update(_as_of(state, 70 + number), seen_ms=900 - number)

    about = known.snapshot(now_ms=_NOW_MS).about

    assert (about.venue, about.kind, about.address) == ("meteora", "DAMM v2", ADDRESS)
    assert (about.mints, about.slot, about.seen_ms) == ((MINT_A, MINT_B), 70, 898)
    assert abs(about.spot - 4) < Decimal("1e-12")
    assert about.compute_units == 40_000


def test_that_the_price_of_a_compounding_pool_is_that_of_its_reserves() -> None:
    made = replace(_MADE, fee_mode=layout.COMPOUNDING, reserves=(100, 250))

    about = pools.snapshot(made).about

    assert about.spot == Decimal("2.5")
    assert about.compute_units == 65_000


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"enabled": False}, Unavailable, "pool.disabled"),
        ({"activation_point": OPENED + 1}, Unavailable, "pool.not_open"),
        ({"fee_mode": 3}, Refused, "pool.unsupported"),
        ({"fee_version": 2}, Refused, "pool.unsupported"),
        ({"layout_version": 2}, Refused, "pool.unsupported"),
        ({"activation_type": 2}, Refused, "pool.unsupported"),
        ({"base_fee": layout.RateLimiter(1, 1, 1, 1, 1)}, Refused, "pool.unsupported"),
        (
            {"base_fee": layout.RateLimiter(10**6, 1, 0, 99, 1), "fee_mode": 1},
            Refused,
            "pool.unsupported",
        ),
        ({"layout_version": 0, "liquidity": (1 << 128) - 1}, Refused, "pool.unsupported"),
    ],
)
def test_that_a_pool_that_cannot_trade_says_why(
    change: dict[str, Any], kind: type[DeskError], code: str
) -> None:
    made = replace(_MADE, **change)

    reason = _reason(pools.followed(made))

    assert (type(reason), reason.code) == (kind, code)


@pytest.mark.parametrize(
    "fee",
    [
        layout.TimeSchedule(5, exponential=False, periods=9, period=1, reduction=6),
        layout.TimeSchedule(5, exponential=True, periods=9, period=1, reduction=10_000),
        layout.TimeSchedule(5, exponential=True, periods=65, period=1, reduction=5_000),
        layout.TimeSchedule(5, exponential=True, periods=9, period=1, reduction=10_001),
        layout.PriceSchedule(
            5, exponential=False, periods=9, step_bps=0, expires_after=99, reduction=1
        ),
    ],
)
def test_that_a_fee_the_program_cannot_compute_is_unsupported(fee: layout.BaseFee) -> None:
    made = replace(_MADE, base_fee=fee, sqrt_price_initial=_MADE.sqrt_price // 2)

    assert _reason(pools.followed(made), _NOW_MS + 65_000).code == "pool.unsupported"


def test_that_an_unknown_base_fee_is_unsupported() -> None:
    own, *vaults = pools.states(_MADE)
    known = FollowedDammV2(ADDRESS)
    known.update(
        AccountState(own.address, own.data[:16] + b"\x05" + own.data[17:], own.owner, own.slot),
        seen_ms=1,
    )
    for vault in vaults:
        known.update(vault, seen_ms=1)

    assert _reason(known).code == "pool.unsupported"


def test_that_a_pool_by_time_opens_at_its_second() -> None:
    known = pools.followed(_MADE)

    assert _reason(known, _NOW_MS - 1).code == "pool.not_open"
    assert known.snapshot(now_ms=_NOW_MS).about.slot


def test_that_a_pool_by_slot_opens_when_its_slot_has_come() -> None:
    made = replace(_MADE, activation_type=layout.BY_SLOT)
    known = pools.followed(made, slot=OPENED - 2, seen_ms=5_000)

    assert _reason(known, 5_000 + 2 * SLOT_MS - 1).code == "pool.not_open"
    assert known.snapshot(now_ms=5_000 + 2 * SLOT_MS).about.slot == OPENED - 2


def test_that_a_schedule_by_slot_counts_from_the_newest_slot_seen() -> None:
    fee = layout.TimeSchedule(
        100_000_000, exponential=False, periods=10, period=100, reduction=1_000_000
    )
    made = replace(_MADE, activation_type=layout.BY_SLOT, base_fee=fee)
    known = pools.followed(made, slot=OPENED, seen_ms=5_000)
    known.update(_as_of(pools.states(made)[1], OPENED + 299), seen_ms=9_000)

    assert known.snapshot(now_ms=9_000).directions[0].fee.base == 98_000_000
    assert known.snapshot(now_ms=9_000 + SLOT_MS).directions[0].fee.base == 97_000_000


@pytest.mark.parametrize("place", [0, 1, 2])
def test_that_a_spoiled_account_takes_the_pool_out_until_a_good_one_arrives(place: int) -> None:
    known = pools.followed(_MADE)
    good = pools.states(_MADE)[place]

    with pytest.raises(Corrupt):
        known.update(AccountState(good.address, b"", "", good.slot + 1), seen_ms=2)

    assert _reason(known).code == ("pool.incomplete" if place else "pool.gone")
    assert known.accounts() == (ADDRESS, *VAULTS)
    known.update(_as_of(good, good.slot + 2), seen_ms=3)
    assert known.snapshot(now_ms=_NOW_MS).about.slot


def test_that_vaults_are_read_on_while_the_pool_is_unreadable() -> None:
    known = pools.followed(_MADE)
    own, vault_a, _ = pools.states(_MADE, amount=7)
    with pytest.raises(Corrupt):
        known.update(AccountState(own.address, own.data[:-1], own.owner, own.slot), seen_ms=2)

    known.update(vault_a, seen_ms=3)
    known.update(own, seen_ms=4)

    assert known.snapshot(now_ms=_NOW_MS).vaults == (7, pools.VAULT_AMOUNT)


def test_that_a_vault_of_another_owner_or_mint_is_foreign() -> None:
    known = pools.followed(_MADE)
    for mint, owner in ((MINT_B, layout.AUTHORITY), (MINT_A, ADDRESS)):
        data = pools.token_account(mint, owner, 1)
        with pytest.raises(Corrupt) as corrupt:
            known.update(AccountState(VAULTS[0], data, TOKEN_PROGRAM, OPENED), seen_ms=2)
        assert corrupt.value.code == "account.foreign"


def test_that_a_vault_that_holds_too_little_bounds_the_trade() -> None:
    known = pools.followed(_MADE)
    known.update(pools.states(_MADE, amount=1_000)[2], seen_ms=2)
    pool = known.snapshot(now_ms=_NOW_MS)

    assert pool.exact_out(MINT_A, 1_000).received == 1_000
    with pytest.raises(Refused) as refusal:
        pool.exact_out(MINT_A, 1_001)
    assert refusal.value.code == "liquidity.insufficient"
    with pytest.raises(Refused):
        pool.exact_in(MINT_A, 1_000_000)


def test_that_counted_reserves_bound_the_trade() -> None:
    made = replace(_MADE, reserves=(1_000, 1_000))
    pool = pools.snapshot(made)

    assert pool.exact_out(MINT_B, 997).received == 997
    with pytest.raises(Refused) as refusal:
        pool.exact_out(MINT_B, 998)
    assert refusal.value.code == "liquidity.insufficient"


def test_that_the_last_unit_of_a_reserve_is_not_for_sale() -> None:
    pool = pools.snapshot(replace(_MADE, fee_mode=layout.COMPOUNDING, reserves=(1_000, 1_000)))

    assert pool.exact_out(MINT_B, 999).received == 999
    with pytest.raises(Refused) as refusal:
        pool.exact_out(MINT_B, 1_000)
    assert refusal.value.code == "liquidity.insufficient"


@pytest.mark.parametrize("fee_mode", [layout.FEE_ON_OUTPUT, layout.COMPOUNDING])
def test_that_an_empty_pool_sells_nothing(fee_mode: int) -> None:
    pool = pools.snapshot(replace(_MADE, liquidity=0, fee_mode=fee_mode))

    assert pool.curve(MINT_A) == []
    for trade in (pool.exact_in, pool.exact_out):
        with pytest.raises(Refused) as refusal:
            trade(MINT_A, 1_000)
        assert refusal.value.code == "liquidity.insufficient"


def test_that_a_pool_at_the_end_of_its_range_trades_one_way() -> None:
    pool = pools.snapshot(replace(_MADE, sqrt_min=_MADE.sqrt_price))

    assert pool.curve(MINT_A) == []
    assert pool.curve(MINT_B)


def test_that_pools_hand_it_out_and_drop_older_states() -> None:
    venue = Pools("meteora", [FollowedDammV2(ADDRESS)])
    for state in pools.states(_MADE, slot=20):
        venue.update(state, seen_ms=1)
    venue.update(pools.states(replace(_MADE, enabled=False), slot=19)[0], seen_ms=2)

    (pool,) = venue.pools(_PAIR, now_ms=_NOW_MS)

    assert pool.about.slot == 20
    venue.update(pools.states(replace(_MADE, enabled=False), slot=21)[0], seen_ms=3)
    with pytest.raises(Unavailable) as reason:
        venue.pools(_PAIR, now_ms=_NOW_MS)
    assert reason.value.code == "pool.disabled"
