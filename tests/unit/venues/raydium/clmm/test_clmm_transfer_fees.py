"""A CLMM pool of Token-2022 tokens trades with their transfer fees, or says why it does not."""

from typing import Final

import pytest
from msgspec.structs import replace
from tests.oracles.raydium import clmm_pools as pools
from tests.unit.venues import ground, minted

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.mints import SLOTS_PER_EPOCH
from quantdesk.venues.port import Swap
from quantdesk.venues.raydium.clmm import layout
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed, ClmmPool
from quantdesk.venues.reading import TOKEN_2022
from quantdesk.venues.transfer_fee import FREE, TransferFee

_NOW_MS: Final = pools.NOW_S * 1_000
_NUMBERS: Final = pools.of_positions([(at, 30, 10**12) for at in range(-420, 420, 30)], tick=17)
_PLAIN: Final = pools.accounts(_NUMBERS)
_TOKEN_0, _TOKEN_1 = pools.MINTS
_FEE: Final = TransferFee(5_000, minted.U64_MAX)
_LATER: Final = TransferFee(7_000, minted.U64_MAX)
_MINT: Final = minted.state(_TOKEN_0, minted.mint(_FEE, _LATER, since=2))
_VAULT: Final = replace(_PLAIN[pools.VAULTS[0]], owner=TOKEN_2022)
_ACCOUNTS: Final = _PLAIN | {_VAULT.address: _VAULT}


def _ready(mint: AccountState = _MINT) -> ClmmFollowed:
    return pools.followed(_ACCOUNTS | {mint.address: mint})


def _pool(followed: ClmmFollowed) -> ClmmPool:
    return followed.snapshot(now_ms=_NOW_MS)


def _reason(followed: ClmmFollowed) -> DeskError:
    with pytest.raises(DeskError) as said:
        followed.snapshot(now_ms=_NOW_MS)
    return said.value


def test_that_the_mint_of_a_token_2022_token_alone_stays_followed() -> None:
    followed = _ready()
    assert _TOKEN_0 in followed.accounts()
    assert _TOKEN_1 not in followed.accounts()


def test_that_nothing_trades_before_the_mint_is_read() -> None:
    followed = pools.followed(_ACCOUNTS)
    reason = _reason(followed)
    assert isinstance(reason, Unavailable)
    assert reason.code == "pool.incomplete"
    followed.update(_MINT, seen_ms=1)
    assert _pool(followed).transfer_fees == (_FEE, FREE)
    with pytest.raises(Corrupt):
        followed.update(ground.missing(_TOKEN_0), seen_ms=1)
    assert _reason(followed).code == "pool.incomplete"


def test_that_a_token_that_runs_a_program_on_transfers_is_refused() -> None:
    reason = _reason(_ready(minted.state(_TOKEN_0, minted.mint(_FEE, more=minted.HOOK))))
    assert isinstance(reason, Refused)
    assert reason.code == "pool.unsupported"


def test_that_a_snapshot_stays_until_the_fee_changes() -> None:
    followed = _ready()
    before = _pool(followed)
    followed.update(replace(_MINT, slot=11), seen_ms=1)  # some were issued
    assert _pool(followed) is before
    followed.update(replace(_MINT, slot=2 * SLOTS_PER_EPOCH), seen_ms=1)  # the epoch has changed
    assert _pool(followed).transfer_fees == (_LATER, FREE)


def test_that_a_quote_is_what_arrives_on_both_sides() -> None:
    plain, pool = _pool(pools.followed(_PLAIN)), _pool(_ready())
    assert pool.exact_in(_TOKEN_0, 10**6).received == plain.exact_in(_TOKEN_0, 500_000).received
    bought = plain.exact_in(_TOKEN_1, 10**6).received
    assert pool.exact_in(_TOKEN_1, 10**6).received == _FEE.after(bought)
    assert pool.exact_out(_TOKEN_1, 10**6).paid == plain.exact_out(_TOKEN_1, 2 * 10**6).paid


@pytest.mark.parametrize(("paid", "exact_in"), [(_TOKEN_0, True), (_TOKEN_1, False)])
def test_that_a_call_names_the_arrays_crossed_by_what_the_vaults_see(
    paid: str, *, exact_in: bool
) -> None:
    def arrays(pool: ClmmPool, amount: int) -> list[str]:
        swap = Swap(
            paid=paid,
            exact_in=exact_in,
            amount=amount,
            limit=1,
            owner="O",
            paid_from="P",
            received_in="R",
        )
        return [meta.address for meta in pool.instruction(swap).accounts[13:]]

    plain, pool = _pool(pools.followed(_PLAIN)), _pool(_ready())
    # Half of what is paid arrives, and twice what is received leaves.
    there = 15 * 10**10
    amount = 2 * there if exact_in else there // 2
    assert arrays(pool, amount) == arrays(plain, there)
    assert arrays(plain, amount) != arrays(plain, there)
    assert layout.tick_array_address(pools.ADDRESS, 0) in arrays(pool, 1_000)
