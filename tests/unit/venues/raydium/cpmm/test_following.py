"""A CPMM pool is in the market when all of it is read and open, and otherwise says why not."""

import pytest
from msgspec.structs import replace
from tests.unit.venues import ground
from tests.unit.venues.raydium.cpmm import world
from tests.unit.venues.raydium.cpmm.world import BTC, POOL

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.following import Pools


def _accounts() -> tuple[str, ...]:
    pool = world.layout_of()
    return (POOL, pool.config, *pool.vaults)


def _code(venue: Pools, kind: type[DeskError] = Unavailable) -> str:
    with pytest.raises(kind) as said:
        venue.pools(ground.mints(BTC), now_ms=ground.NOW_MS)
    return said.value.code


def test_that_a_pool_names_the_accounts_its_price_hangs_on() -> None:
    venue = world.venue(POOL)
    assert venue.accounts() == (POOL,)
    venue.update(world.genesis()[POOL], seen_ms=1)
    assert venue.accounts() == _accounts()


@pytest.mark.parametrize("missing", range(4))
def test_that_nothing_trades_before_every_account_is_known(missing: int) -> None:
    venue, genesis = world.venue(POOL), world.genesis()
    for number, address in enumerate(_accounts()):
        if number != missing:
            venue.update(genesis[address], seen_ms=1)
    assert _code(venue) == "pool.gone"


def _damaged(good: AccountState) -> tuple[tuple[AccountState, str], ...]:
    return (
        (ground.missing(good.address), "account.missing"),
        (replace(good, owner=ground.OTHER), "account.foreign"),
        (replace(good, data=good.data[:-1]), "account.unreadable"),
        (replace(good, data=good.data + b"\0"), "account.unreadable"),
        (replace(good, data=bytes(len(good.data))), "account.unreadable"),
    )


@pytest.mark.parametrize("number", range(4))
def test_that_an_unreadable_account_stops_its_pool_until_it_is_readable_again(number: int) -> None:
    venue, genesis = world.ready(BTC), world.genesis()
    good = genesis[_accounts()[number]]
    for damaged, code in _damaged(good):
        with pytest.raises(Corrupt) as corrupt:
            venue.update(damaged, seen_ms=1)
        assert corrupt.value.code == code
        assert _code(venue) == "pool.gone"
        ground.feed(venue, genesis)
        assert ground.one(venue, BTC).exact_in(BTC.base.mint, 10**6).received > 0


def test_that_what_a_pool_held_before_it_became_unreadable_is_not_traded_on() -> None:
    venue, genesis = world.ready(BTC), world.genesis()
    with pytest.raises(Corrupt):
        venue.update(ground.missing(POOL), seen_ms=1)
    assert venue.accounts() == (POOL,)
    venue.update(genesis[POOL], seen_ms=1)
    assert venue.accounts() == _accounts()
    assert _code(venue) == "pool.gone"


@pytest.mark.parametrize("offset", [0, 32])
def test_that_a_vault_of_another_owner_or_mint_is_corrupt(offset: int) -> None:
    venue, (_, vault) = world.ready(BTC), world.vaults()
    foreign = ground.changed(world.genesis()[vault], offset, "<4Q", 0, 0, 0, 0)
    with pytest.raises(Corrupt) as corrupt:
        venue.update(foreign, seen_ms=1)
    assert corrupt.value.code == "account.foreign"
    assert _code(venue) == "pool.gone"


@pytest.mark.parametrize(
    ("offset", "form", "value", "kind", "code"),
    [
        (329, "<B", 0b100, Unavailable, "pool.disabled"),
        (373, "<Q", ground.NOW_MS // 1000 + 1, Unavailable, "pool.not_open"),
        (264, "<Q", 1, Refused, "pool.unsupported"),  # a token program that is not SPL Token
        (341, "<Q", 1 << 63, Unavailable, "pool.gone"),  # owes more than it holds
    ],
)
def test_that_a_pool_that_cannot_trade_says_why(
    offset: int, form: str, value: int, kind: type[DeskError], code: str
) -> None:
    venue = world.ready(BTC)
    venue.update(ground.changed(world.genesis()[POOL], offset, form, value), seen_ms=1)
    assert _code(venue, kind) == code


@pytest.mark.parametrize("status", [0b001, 0b010, 0b011])
def test_that_closed_deposits_and_withdrawals_do_not_stop_trading(status: int) -> None:
    venue = world.ready(BTC)
    venue.update(ground.changed(world.genesis()[POOL], 329, "<B", status), seen_ms=1)
    assert ground.one(venue, BTC).about.address == POOL


def test_that_a_pool_opens_on_the_second() -> None:
    venue = world.ready(BTC)
    opening = ground.changed(world.genesis()[POOL], 373, "<Q", ground.NOW_MS // 1000)
    venue.update(opening, seen_ms=1)
    assert ground.one(venue, BTC).about.address == POOL
    with pytest.raises(Unavailable):
        ground.one(venue, BTC, now_ms=ground.NOW_MS - 1)


@pytest.mark.parametrize("empty", range(2))
def test_that_an_empty_pool_has_no_liquidity(empty: int) -> None:
    venue, vault = world.ready(BTC), world.vaults()[empty]
    venue.update(ground.changed(world.genesis()[vault], 64, "<Q", 0), seen_ms=1)
    assert _code(venue, Refused) == "liquidity.insufficient"
