"""A venue of followed pools hands out those that trade, or the reason that tells most."""

import pytest
from msgspec.structs import replace
from tests.unit.venues import ground
from tests.unit.venues.ground import OTHER
from tests.unit.venues.meteora.dlmm import world as meteora
from tests.unit.venues.raydium.cpmm import world
from tests.unit.venues.raydium.cpmm.world import BTC, POOL, SOL

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.core.markets import Market
from quantdesk.localnet import raydium_pools
from quantdesk.venues.following import Pools
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.port import Venue
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed

_DISABLED = (329, "<B", 0b100)
_TOKEN_2022 = (264, "<Q", 1)
_CONFIG = world.layout_of().config


def _twins(**spoils: tuple[int, str, int]) -> Pools:
    """Return a venue of two pools that share config and vaults, each spoiled as told."""
    genesis = world.genesis()
    first, second = (
        ground.changed(genesis[POOL], *spoils[name]) if name in spoils else genesis[POOL]
        for name in ("first", "second")
    )
    venue = world.venue(POOL, OTHER)
    ground.feed(venue, genesis | {POOL: first, OTHER: replace(second, address=OTHER)})
    return venue


def _trading(venue: Pools) -> list[str]:
    found = venue.pools(ground.mints(BTC), now_ms=ground.NOW_MS)
    return [pool.about.address for pool in found]


def _code(venue: Venue, kind: type[DeskError] = Unavailable) -> str:
    return _code_of(venue, BTC, kind)


def _code_of(venue: Venue, market: Market, kind: type[DeskError] = Unavailable) -> str:
    with pytest.raises(kind) as said:
        venue.pools(ground.mints(market), now_ms=ground.NOW_MS)
    return said.value.code


def test_that_it_is_a_venue() -> None:
    venue: Venue = Pools("raydium", [])
    assert (venue.name, venue.accounts()) == ("raydium", ())
    assert _code(venue) == "pool.gone"


def test_that_all_pools_of_a_pair_trade_and_no_other() -> None:
    assert _trading(_twins()) == [POOL, OTHER]
    both = world.ready(BTC, SOL)
    assert _trading(both) == [POOL]
    assert ground.one(both, SOL).about.address == raydium_pools.address(SOL)


def test_that_a_venue_holds_pools_of_several_kinds() -> None:
    raydium = raydium_pools.address(SOL)
    venue = Pools("both", [CpmmFollowed(raydium), DlmmFollowed(meteora.PAIR)])
    ground.feed(venue, world.genesis(SOL) | meteora.ACCOUNTS)
    found = venue.pools(ground.mints(SOL), now_ms=ground.NOW_MS)
    assert [pool.about.kind for pool in found] == ["CPMM", "DLMM"]


def test_that_an_account_several_pools_need_is_asked_for_once_and_told_to_all() -> None:
    venue = _twins()
    pool = world.layout_of()
    assert venue.accounts() == (POOL, pool.config, *pool.vaults, OTHER)
    dearer = ground.changed(world.genesis()[_CONFIG], 12, "<Q", 10_000)
    venue.update(dearer, seen_ms=1)
    fees = {
        found.exact_in(BTC.base.mint, 10**6).fee
        for found in venue.pools(ground.mints(BTC), now_ms=ground.NOW_MS)
    }
    assert fees == {10**4}


def test_that_an_unreadable_account_takes_every_pool_that_needs_it_out_of_the_market() -> None:
    venue = _twins()
    with pytest.raises(Corrupt) as corrupt:
        venue.update(ground.missing(_CONFIG), seen_ms=1)
    assert corrupt.value.code == "account.missing"
    assert _code(venue) == "pool.gone"
    venue.update(world.genesis()[_CONFIG], seen_ms=1)
    assert _trading(venue) == [POOL, OTHER]


def test_that_one_pools_trouble_does_not_hide_the_other() -> None:
    assert _trading(_twins(first=_DISABLED)) == [OTHER]
    venue = _twins()
    with pytest.raises(Corrupt):
        venue.update(ground.missing(POOL), seen_ms=1)
    assert _trading(venue) == [OTHER]
    assert world.vaults()[0] in venue.accounts()


def _half(slot: int) -> AccountState:
    vault = world.vaults()[1]
    return replace(ground.changed(world.genesis()[vault], 64, "<Q", 10**12), slot=slot)


@pytest.mark.parametrize(("slot", "taken"), [(9, False), (10, True), (11, True)])
def test_that_older_slots_are_ignored(slot: int, *, taken: bool) -> None:
    venue = world.ready(BTC)
    before = ground.one(venue, BTC)
    venue.update(_half(slot), seen_ms=5_000)
    assert (ground.one(venue, BTC).about.spot != before.about.spot) is taken


def test_that_an_older_good_state_does_not_heal_a_newer_bad_one() -> None:
    venue, vault = world.ready(BTC), world.vaults()[1]
    with pytest.raises(Corrupt):
        venue.update(replace(ground.missing(vault), slot=11), seen_ms=1)
    venue.update(_half(10), seen_ms=1)
    assert _code(venue) == "pool.gone"
    venue.update(_half(11), seen_ms=1)
    assert _trading(venue) == [POOL]


def test_that_an_older_bad_state_is_ignored_too() -> None:
    venue = world.ready(BTC)
    venue.update(replace(ground.missing(POOL), slot=9), seen_ms=1)
    assert _trading(venue) == [POOL]


def test_that_accounts_of_no_pool_are_ignored() -> None:
    venue = world.ready(BTC)
    venue.update(AccountState(OTHER, b"whatever", OTHER, 99), seen_ms=1)
    assert OTHER not in venue.accounts()
    assert _trading(venue) == [POOL]


def test_that_a_pair_whose_pools_have_not_been_read_is_gone() -> None:
    assert _code(world.venue(POOL)) == "pool.gone"
    assert _code(world.ready(SOL)) == "pool.gone"


@pytest.mark.parametrize("refusing", ["first", "second"])
def test_that_what_may_trade_later_outweighs_what_never_will(refusing: str) -> None:
    closed = "second" if refusing == "first" else "first"
    venue = _twins(**{refusing: _TOKEN_2022, closed: _DISABLED})
    assert _code(venue, Unavailable) == "pool.disabled"
    assert _code(_twins(first=_TOKEN_2022, second=_TOKEN_2022), Refused) == "pool.unsupported"


def test_that_the_first_of_equal_reasons_is_given() -> None:
    not_open = (373, "<Q", ground.NOW_MS // 1_000 + 1)
    assert _code(_twins(first=not_open, second=_DISABLED)) == "pool.not_open"
    assert _code(_twins(first=_DISABLED, second=not_open)) == "pool.disabled"


def test_that_those_that_stay_keep_what_is_known_when_others_come_and_go() -> None:
    venue = _twins()
    stays, leaves = venue.followed
    before = ground.one(Pools("raydium", [stays]), BTC)
    joins = CpmmFollowed(raydium_pools.address(SOL))

    venue.follow([stays, joins])

    assert ground.one(venue, BTC) is before
    assert leaves.address not in venue.accounts()
    assert joins.address in venue.accounts()
    assert _code_of(venue, SOL) == "pool.gone"
    venue.update(replace(world.genesis()[world.vaults()[0]], slot=9), seen_ms=5_000)
    assert ground.one(venue, BTC) is before  # slots are remembered too
    ground.feed(venue, world.genesis(SOL) | world.genesis())
    assert ground.one(venue, SOL).about.address == joins.address


def test_that_who_joins_is_told_at_once_what_others_follow() -> None:
    venue = world.ready(BTC)
    shared = set(venue.accounts())
    venue.follow([*venue.followed, CpmmFollowed(raydium_pools.address(SOL))])

    genesis = world.genesis(SOL)
    while new := [address for address in venue.accounts() if address not in shared]:
        for address in new:
            venue.update(genesis[address], seen_ms=4_000)
            shared.add(address)

    assert _CONFIG in shared
    assert ground.one(venue, SOL).about.kind == "CPMM"
