"""A DAMM v2 pool of Token-2022 tokens trades with their transfer fees, or says why it does not."""

from dataclasses import replace
from typing import Final

import pytest
from msgspec.structs import replace as state_replace
from tests.oracles.meteora_damm import pools
from tests.oracles.meteora_damm.pools import ADDRESS, MINT_A, MINT_B, OPENED, VAULTS, Numbers
from tests.unit.venues import ground, minted

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.meteora.damm_v2.pool import DammV2Pool, FollowedDammV2
from quantdesk.venues.mints import SLOTS_PER_EPOCH
from quantdesk.venues.port import Swap
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM
from quantdesk.venues.transfer_fee import FREE, TransferFee

_PLAIN: Final = pools.pool(Numbers(seed=1, price_ppm=4_000_000))
_MADE: Final = replace(_PLAIN, token_flags=(1, 0))
_NOW_MS: Final = OPENED * 1_000
_EPOCH: Final = OPENED // SLOTS_PER_EPOCH
_FEE: Final = TransferFee(5_000, minted.U64_MAX)
_LATER: Final = TransferFee(7_000, minted.U64_MAX)
_MINT: Final = minted.state(MINT_A, minted.mint(_FEE, _LATER, since=_EPOCH + 1))


def _ready(mint: AccountState | None = _MINT) -> FollowedDammV2:
    known = pools.followed(_MADE)
    if mint:
        known.update(mint, seen_ms=99)
    return known


def _pool(known: FollowedDammV2) -> DammV2Pool:
    return known.snapshot(now_ms=_NOW_MS)


def _reason(known: FollowedDammV2) -> DeskError:
    with pytest.raises(DeskError) as said:
        known.snapshot(now_ms=_NOW_MS)
    return said.value


def test_that_the_mint_of_a_token_2022_token_alone_is_followed() -> None:
    assert _ready(None).accounts() == (ADDRESS, *VAULTS, MINT_A)


def test_that_nothing_trades_before_the_mint_is_read() -> None:
    known = _ready(None)
    reason = _reason(known)
    assert isinstance(reason, Unavailable)
    assert reason.code == "pool.incomplete"
    known.update(_MINT, seen_ms=1)
    assert _pool(known).transfer_fees == (_FEE, FREE)
    with pytest.raises(Corrupt):
        known.update(ground.missing(MINT_A), seen_ms=1)
    assert _reason(known).code == "pool.incomplete"


def test_that_the_mint_does_not_make_a_snapshot_older() -> None:
    about = _pool(_ready()).about
    assert (about.slot, about.seen_ms) == (OPENED, 0)


def test_that_a_token_that_runs_a_program_on_transfers_is_refused() -> None:
    reason = _reason(_ready(minted.state(MINT_A, minted.mint(_FEE, more=minted.HOOK))))
    assert isinstance(reason, Refused)
    assert reason.code == "pool.unsupported"


def test_that_the_fee_changes_with_the_epoch() -> None:
    known = _ready()
    known.update(state_replace(_MINT, slot=(_EPOCH + 1) * SLOTS_PER_EPOCH), seen_ms=1)
    assert _pool(known).transfer_fees == (_LATER, FREE)


def test_that_a_quote_is_what_arrives_on_both_sides() -> None:
    plain, pool = pools.snapshot(_PLAIN), _pool(_ready())
    assert pool.exact_in(MINT_A, 10**6).received == plain.exact_in(MINT_A, 500_000).received
    bought = plain.exact_in(MINT_B, 10**6).received
    assert pool.exact_in(MINT_B, 10**6).received == _FEE.after(bought)
    assert pool.exact_out(MINT_B, 10**6).paid == plain.exact_out(MINT_B, 2 * 10**6).paid


def test_that_a_vault_gives_no_more_than_it_holds_before_the_fee() -> None:
    pool = _pool(_ready())
    held = pool.exact_in(MINT_B, 10**6).received
    short = replace(pool, vaults=(2 * held - 1, pool.vaults[1]))
    with pytest.raises(Refused) as refused:
        short.exact_in(MINT_B, 10**6)
    assert refused.value.code == "liquidity.insufficient"


@pytest.mark.parametrize("paid", [MINT_A, MINT_B])
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
    accounts = [meta.address for meta in _pool(_ready()).instruction(swap).accounts]
    assert accounts[9:11] == [TOKEN_2022, TOKEN_PROGRAM]
