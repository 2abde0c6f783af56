"""A CPMM pool of Token-2022 tokens trades with their transfer fees, or says why it does not."""

from typing import Final

import pytest
from msgspec.structs import replace
from solders.pubkey import Pubkey
from tests.unit.venues import ground, minted
from tests.unit.venues.raydium.cpmm import world
from tests.unit.venues.raydium.cpmm.world import BTC, POOL

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.following import Pools
from quantdesk.venues.mints import SLOTS_PER_EPOCH
from quantdesk.venues.port import Swap
from quantdesk.venues.raydium.cpmm import layout
from quantdesk.venues.raydium.cpmm.pool import CpmmPool
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM
from quantdesk.venues.transfer_fee import FREE, TransferFee

_FIRST, _SECOND = world.layout_of().mints
_FEE: Final = TransferFee(100, minted.U64_MAX)
_LATER: Final = TransferFee(300, minted.U64_MAX)
_DECIMALS: Final = world.layout_of().decimals[0]
_MINT: Final = minted.state(_FIRST, minted.mint(_FEE, _LATER, since=2, decimals=_DECIMALS))
_PROGRAMS_AT: Final = 232
_PLAIN: Final = world.genesis()


def _accounts(mint: AccountState = _MINT) -> dict[str, AccountState]:
    """Return the pool's accounts when its first token is one of Token-2022."""
    pool = world.layout_of()
    data = bytearray(_PLAIN[POOL].data)
    data[_PROGRAMS_AT : _PROGRAMS_AT + 32] = bytes(Pubkey.from_string(TOKEN_2022))
    vault = replace(_PLAIN[pool.vaults[0]], owner=TOKEN_2022)
    return _PLAIN | {
        POOL: replace(_PLAIN[POOL], data=bytes(data)),
        vault.address: vault,
        mint.address: mint,
    }


def _ready(mint: AccountState = _MINT) -> Pools:
    venue = world.venue(POOL)
    ground.feed(venue, _accounts(mint))
    return venue


def _pool(venue: Pools) -> CpmmPool:
    pool = ground.one(venue, BTC)
    assert isinstance(pool, CpmmPool)
    return pool


def _reason(venue: Pools) -> DeskError:
    with pytest.raises(DeskError) as said:
        venue.pools(ground.mints(BTC), now_ms=ground.NOW_MS)
    return said.value


def test_that_the_mint_of_a_token_2022_token_alone_is_followed() -> None:
    venue = world.venue(POOL)
    venue.update(_accounts()[POOL], seen_ms=1)
    pool = world.layout_of()
    assert venue.accounts() == (POOL, pool.config, *pool.vaults, _FIRST)


def test_that_nothing_trades_before_the_mint_is_read() -> None:
    venue, accounts = world.venue(POOL), _accounts()
    venue.update(accounts[POOL], seen_ms=1)
    for address in venue.accounts():
        if address != _FIRST:
            venue.update(accounts[address], seen_ms=1)
    reason = _reason(venue)
    assert isinstance(reason, Unavailable)
    assert reason.code == "pool.incomplete"
    venue.update(_MINT, seen_ms=1)
    assert _pool(venue).transfer_fees == (_FEE, FREE)


def test_that_an_unreadable_mint_stops_its_pool_until_it_is_readable() -> None:
    venue = _ready()
    for damaged in (ground.missing(_FIRST), replace(_MINT, data=_MINT.data[:-1])):
        with pytest.raises(Corrupt):
            venue.update(damaged, seen_ms=1)
        assert _reason(venue).code == "pool.incomplete"
    venue.update(_MINT, seen_ms=1)
    assert _pool(venue).transfer_fees == (_FEE, FREE)


def test_that_what_the_mint_said_before_the_pool_became_unreadable_is_forgotten() -> None:
    venue, accounts = _ready(), _accounts()
    with pytest.raises(Corrupt):
        venue.update(ground.missing(POOL), seen_ms=1)
    assert venue.accounts() == (POOL,)
    for address in (POOL, *accounts):
        if address != _FIRST:
            venue.update(accounts[address], seen_ms=1)
    assert _reason(venue).code == "pool.incomplete"


def test_that_a_token_that_runs_a_program_on_transfers_is_refused() -> None:
    hooked = minted.mint(_FEE, decimals=_DECIMALS, more=minted.HOOK)
    reason = _reason(_ready(minted.state(_FIRST, hooked)))
    assert isinstance(reason, Refused)
    assert reason.code == "pool.unsupported"


def test_that_a_snapshot_stays_until_the_fee_changes() -> None:
    venue = _ready()
    before = _pool(venue)
    venue.update(replace(_MINT, slot=11), seen_ms=1)  # some were issued
    assert _pool(venue) is before
    venue.update(replace(_MINT, slot=2 * SLOTS_PER_EPOCH), seen_ms=1)  # the epoch has changed
    after = _pool(venue)
    assert after.transfer_fees == (_LATER, FREE)
    assert after.exact_in(_FIRST, 10**9).received < before.exact_in(_FIRST, 10**9).received


def test_that_a_quote_is_what_arrives_on_both_sides() -> None:
    plain, pool = _pool(world.ready(BTC)), _pool(_ready())
    sale, purchase = pool.exact_in(_FIRST, 10**6), pool.exact_in(_SECOND, 10**6)
    assert sale.received == plain.exact_in(_FIRST, 99 * 10**4).received
    assert purchase.received == _FEE.after(plain.exact_in(_SECOND, 10**6).received)
    assert sale.fee == 10**4 + plain.exact_in(_FIRST, 99 * 10**4).fee
    bought = pool.exact_out(_SECOND, 99 * 10**4)
    assert bought.received == 99 * 10**4
    assert bought.paid == plain.exact_out(_SECOND, 10**6).paid
    sold = pool.exact_out(_FIRST, 10**4)
    assert sold.paid == _FEE.before(plain.exact_out(_FIRST, 10**4).paid)


@pytest.mark.parametrize("paid", [_FIRST, _SECOND])
def test_that_a_swap_names_the_program_of_each_token(paid: str) -> None:
    swap = Swap(
        paid=paid,
        exact_in=True,
        amount=10**6,
        limit=1,
        owner="O",
        paid_from="P",
        received_in="R",
    )
    call = _pool(_ready()).instruction(swap)
    programs = {_FIRST: TOKEN_2022, _SECOND: TOKEN_PROGRAM}
    received = _SECOND if paid == _FIRST else _FIRST
    assert call.program == layout.PROGRAM
    assert [meta.address for meta in call.accounts[8:12]] == [
        programs[paid],
        programs[received],
        paid,
        received,
    ]
