"""A DLMM pair of Token-2022 tokens trades with their transfer fees, or says why it does not."""

from typing import Final

import pytest
from msgspec.structs import replace
from tests.unit.venues import ground, minted
from tests.unit.venues.meteora.dlmm import world
from tests.unit.venues.meteora.dlmm.world import ACCOUNTS, PAIR, SOL

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.following import Pools
from quantdesk.venues.mints import SLOTS_PER_EPOCH
from quantdesk.venues.port import Swap
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM
from quantdesk.venues.transfer_fee import FREE, TransferFee

_BASE, _QUOTE = SOL.base.mint, SOL.quote.mint
_FEE: Final = TransferFee(100, minted.U64_MAX)
_LATER: Final = TransferFee(300, minted.U64_MAX)
_MINT: Final = minted.state(_BASE, minted.mint(_FEE, _LATER, since=2, decimals=9))
_SPOILED: Final = world.spoiled(world.TOKEN_FLAG, "<B", 1)  # token X, the base


def _ready(mint: AccountState = _MINT) -> Pools:
    return world.ready(_SPOILED | {_BASE: mint})


def _reason(venue: Pools) -> DeskError:
    with pytest.raises(DeskError) as said:
        venue.pools(ground.mints(SOL), now_ms=ground.NOW_MS)
    return said.value


def test_follows_the_mint_of_a_token_2022_token_alone() -> None:
    venue = world.venue(PAIR)
    venue.update(_SPOILED[PAIR], seen_ms=1)
    assert venue.accounts()[:3] == (PAIR, _BASE, _QUOTE)

    for address in (_BASE, _QUOTE):  # the plain one is asked for its decimals, once
        venue.update((_SPOILED | {_BASE: _MINT})[address], seen_ms=1)

    assert venue.accounts()[:2] == (PAIR, _BASE)
    assert _QUOTE not in venue.accounts()


def test_is_incomplete_until_the_mint_is_read() -> None:
    venue = world.venue(PAIR)
    venue.update(_SPOILED[PAIR], seen_ms=1)
    for address in venue.accounts()[2:]:  # but for its mint
        venue.update(ACCOUNTS[address], seen_ms=1)

    assert isinstance(_reason(venue), Unavailable)
    assert _reason(venue).code == "pool.incomplete"
    venue.update(_MINT, seen_ms=1)
    assert world.pool(venue).transfer_fees == (_FEE, FREE)


def test_is_incomplete_while_the_mint_is_unreadable() -> None:
    venue = _ready()
    with pytest.raises(Corrupt):
        venue.update(ground.missing(_BASE), seen_ms=1)

    assert _reason(venue).code == "pool.incomplete"
    venue.update(_MINT, seen_ms=1)
    assert world.pool(venue).transfer_fees == (_FEE, FREE)


def test_refuses_a_token_that_runs_a_program_on_transfers() -> None:
    hooked = minted.mint(_FEE, decimals=9, more=minted.HOOK)
    reason = _reason(_ready(minted.state(_BASE, hooked)))

    assert isinstance(reason, Refused)
    assert reason.code == "pool.unsupported"


def test_calls_a_token_program_it_does_not_know_unreadable() -> None:
    with pytest.raises(Corrupt) as corrupt:
        world.ready(world.spoiled(world.TOKEN_FLAG, "<B", 2))

    assert corrupt.value.code == "account.unreadable"


def test_stays_the_same_snapshot_until_the_fee_changes() -> None:
    venue = _ready()
    before = world.pool(venue)

    venue.update(replace(_MINT, slot=11), seen_ms=1)  # some were issued
    assert world.pool(venue) is before

    venue.update(replace(_MINT, slot=2 * SLOTS_PER_EPOCH), seen_ms=1)  # the epoch has changed
    after = world.pool(venue)
    assert after.transfer_fees == (_LATER, FREE)
    assert after.exact_in(_BASE, 10**9).received < before.exact_in(_BASE, 10**9).received


def test_quotes_what_arrives_on_both_sides() -> None:
    plain, pool = world.pool(world.ready()), world.pool(_ready())

    sale, purchase = pool.exact_in(_BASE, 10**9), pool.exact_in(_QUOTE, 10**8)

    assert sale.received == plain.exact_in(_BASE, 99 * 10**7).received
    assert purchase.received == _FEE.after(plain.exact_in(_QUOTE, 10**8).received)
    assert abs(sale.fee / 10**9 - 0.01 - 0.99 * 0.001) < 1e-6
    bought = pool.exact_out(_QUOTE, 99 * 10**7)
    assert (bought.received, bought.paid) == (
        99 * 10**7,
        plain.exact_out(_QUOTE, 10**9).paid,
    )


@pytest.mark.parametrize("paid", [_BASE, _QUOTE])
def test_names_the_program_of_each_token(paid: str) -> None:
    addresses = [str(number).rjust(32, "1") for number in (2, 3, 4)]
    owner, paid_from, received_in = addresses
    swap = Swap(
        paid=paid,
        exact_in=True,
        amount=10**6,
        limit=1,
        owner=owner,
        paid_from=paid_from,
        received_in=received_in,
    )

    call = world.pool(_ready()).instruction(swap)

    assert [meta.address for meta in call.accounts[11:13]] == [TOKEN_2022, TOKEN_PROGRAM]
    assert call.data[-4:] == bytes(4)  # no hook asks for accounts
