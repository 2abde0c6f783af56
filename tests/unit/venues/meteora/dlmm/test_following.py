"""A DLMM pair is followed with the bin arrays around its price, which move with it."""

import pytest
from msgspec.structs import replace
from solders.pubkey import Pubkey
from tests.unit.venues import ground
from tests.unit.venues.meteora.dlmm import world
from tests.unit.venues.meteora.dlmm.world import ACCOUNTS, PAIR, SOL

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError
from quantdesk.venues.following import Pools
from quantdesk.venues.meteora.dlmm import layout


def _first_read(pair: AccountState = ACCOUNTS[PAIR]) -> Pools:
    """Return a venue that has read the pair and its mints, and no array yet."""
    venue = world.venue(PAIR)
    for state in (pair, *(ACCOUNTS[asset.mint] for asset in (SOL.base, SOL.quote))):
        venue.update(state, seen_ms=1)
    return venue


def _followed(venue: Pools) -> set[int]:
    return {layout.decode_bin_array(ACCOUNTS[at].data).index for at in venue.accounts()[1:]}


def _code(venue: Pools) -> str:
    with pytest.raises(DeskError) as said:
        venue.pools(ground.mints(SOL), now_ms=ground.NOW_MS)
    return said.value.code


def test_follows_the_nearest_bin_arrays_of_both_sides() -> None:
    assert _followed(world.ready()) == {-26, -25, -24, -23, -22, -21, -20}


def test_moves_with_the_active_bin() -> None:
    venue = world.ready()
    moved = world.spoiled(world.ACTIVE_ID, "<i", -1_540)

    ground.feed(venue, moved, slot=11)

    assert _followed(venue) == {-25, -24, -23, -22, -21, -20, -19}
    assert world.pool(venue).about.spot > world.pool(world.ready()).about.spot


def test_keeps_what_it_knows_of_arrays_that_stay_near() -> None:
    venue = world.ready()
    moved = world.spoiled(world.ACTIVE_ID, "<i", -1_540)

    venue.update(replace(moved[PAIR], slot=11), seen_ms=1)

    pool = world.pool(venue)
    assert pool.about.slot == 11
    assert pool.exact_in(SOL.base.mint, 10**9).received > 0


def test_forgets_an_array_that_was_left_behind() -> None:
    venue, array = world.ready(), ACCOUNTS[world.array(-26)]
    venue.update(replace(array, slot=20), seen_ms=1)
    for active_id in (-1_540, -1_610):  # leaves array -26 and comes back
        pair = world.spoiled(world.ACTIVE_ID, "<i", active_id)[PAIR]
        venue.update(replace(pair, slot=11), seen_ms=1)

    pool = world.pool(venue)
    known = sum(piece.most for piece in pool.curve(SOL.base.mint))
    with pytest.raises(DeskError) as said:
        pool.exact_in(SOL.base.mint, int(known * 1.01))
    assert said.value.code == "pool.incomplete"
    # Whatever is read of it first is news, though it was seen at a later slot before.
    venue.update(replace(array, slot=12), seen_ms=1)
    assert -26 in world.pool(venue).pool.arrays


@pytest.mark.parametrize("unread", [-23, None])
def test_is_out_of_the_market_until_the_arrays_at_the_price_are_read(unread: int | None) -> None:
    venue = _first_read()
    for address in venue.accounts()[1:] if unread else ():
        if address != world.array(-23):
            venue.update(ACCOUNTS[address], seen_ms=1)

    assert _code(venue) == "pool.incomplete"
    venue.update(ACCOUNTS[world.array(-23)], seen_ms=1)
    assert world.pool(venue).about.address == PAIR


def test_trades_as_far_as_it_has_read() -> None:
    venue = _first_read()
    venue.update(ACCOUNTS[world.array(-23)], seen_ms=1)
    pool = world.pool(venue)
    known = sum(piece.most for piece in pool.curve(SOL.base.mint))

    assert pool.exact_in(SOL.base.mint, int(known)).received > 0
    with pytest.raises(DeskError) as said:
        pool.exact_in(SOL.base.mint, int(known * 1.01))
    assert said.value.code == "pool.incomplete"


def test_is_out_of_the_market_while_a_pair_is_missing_or_unreadable() -> None:
    venue, good = world.ready(), ACCOUNTS[PAIR]

    for damaged in (
        ground.missing(PAIR),
        replace(good, owner=ground.OTHER),
        replace(good, data=good.data[:-1]),
    ):
        with pytest.raises(Corrupt):
            venue.update(damaged, seen_ms=1)
        assert _code(venue) == "pool.gone"

    ground.feed(venue, ACCOUNTS, slot=12)
    assert world.pool(venue).about.slot == 12


def _damaged_array() -> tuple[AccountState, ...]:
    good = ACCOUNTS[world.array(-23)]
    return (
        replace(good, data=bytes(10_136)),
        replace(good, data=ACCOUNTS[world.array(-22)].data),
        replace(good, owner=ground.OTHER),
    )


def test_is_out_of_the_market_while_the_active_bin_array_is_unreadable() -> None:
    venue, good = world.ready(), ACCOUNTS[world.array(-23)]

    for damaged in _damaged_array():
        with pytest.raises(Corrupt):
            venue.update(replace(damaged, slot=11), seen_ms=1)
        assert _code(venue) == "pool.incomplete"

    venue.update(replace(good, slot=11), seen_ms=1)
    assert world.pool(venue).about.slot == 11


_FAR = world.spoiled(world.ACTIVE_ID, "<i", 40_000)
_EXTENSION_AT = layout.extension_address(PAIR)
_ARRAY_571 = (1 << (571 - layout.BITMAP_HALF)).to_bytes(2 * 12 * 64, "little")


def _extension(pair: bytes, bits: bytes = _ARRAY_571) -> AccountState:
    data = layout.EXTENSION_DISCRIMINATOR + pair + bits
    return AccountState(_EXTENSION_AT, data, layout.PROGRAM, 10)


def test_follows_the_bitmap_extension_of_a_far_pool() -> None:
    venue = _first_read(_FAR[PAIR])
    assert venue.accounts() == (PAIR, _EXTENSION_AT)

    venue.update(_extension(bytes(Pubkey.from_string(PAIR))), seen_ms=1)

    assert world.array(571) in venue.accounts()
    with pytest.raises(Corrupt):
        venue.update(_extension(bytes(32)), seen_ms=1)
    assert _code(venue) == "pool.incomplete"


def test_is_out_of_the_market_until_the_extension_is_read_or_known_not_to_exist() -> None:
    venue = _first_read(_FAR[PAIR])
    assert _code(venue) == "pool.incomplete"

    venue.update(ground.missing(_EXTENSION_AT), seen_ms=1)

    pool = world.pool(venue)
    assert not pool.curve(SOL.quote.mint)
    with pytest.raises(DeskError) as said:
        pool.exact_in(SOL.quote.mint, 10**6)
    assert said.value.code == "liquidity.insufficient"
