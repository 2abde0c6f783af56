"""An AMM v4 pool is quoted from what its accounts say now, and only when it trades."""

from decimal import Decimal
from functools import partial
from typing import Final

import pytest
from solders.pubkey import Pubkey
from tests.oracles.raydium.amm_v4_accounts import amm_account, token_account

from quantdesk.chains.port import AccountMeta, AccountState
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.venues.following import Pools
from quantdesk.venues.port import Fill, Pool, Swap
from quantdesk.venues.raydium.amm_v4.layout import AUTHORITY, PROGRAM
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM

_KEYS: Final = [Pubkey(bytes([n]) * 32) for n in range(1, 9)]
_VAULTS, _MINTS, _POOL = _KEYS[:2], _KEYS[2:4], str(_KEYS[4])
_SOL, _USDC = map(str, _MINTS)
_PAIR: Final = frozenset((_SOL, _USDC))
_HELD: Final = (50 * 10**12, 75 * 10**11)
_NOW_S: Final = 1_800_000_000
_NOW_MS: Final = _NOW_S * 1_000

_account = partial(amm_account, _VAULTS, _MINTS)


def _amm(data: bytes = _account(), *, slot: int = 5) -> AccountState:
    return AccountState(address=_POOL, data=data, owner=PROGRAM, slot=slot)


def _vault(
    token: int,
    amount: int | None = None,
    *,
    slot: int = 5,
    owner: str = AUTHORITY,
    program: str = TOKEN_PROGRAM,
) -> AccountState:
    held = _HELD[token] if amount is None else amount
    data = token_account(_MINTS[token], Pubkey.from_string(owner), held)
    return AccountState(address=str(_VAULTS[token]), data=data, owner=program, slot=slot)


def _followed(data: bytes = _account()) -> Pools:
    pools = Pools("raydium", [AmmV4Followed(_POOL)])
    for state in (_amm(data), _vault(0), _vault(1)):
        pools.update(state, seen_ms=_NOW_MS)
    return pools


def _one(pools: Pools, now_ms: int = _NOW_MS) -> Pool:
    (pool,) = pools.pools(_PAIR, now_ms=now_ms)
    return pool


def test_that_the_vaults_are_learned_from_the_pool() -> None:
    pools = Pools("raydium", [AmmV4Followed(_POOL)])
    assert pools.accounts() == (_POOL,)
    pools.update(_amm(), seen_ms=_NOW_MS)
    assert pools.accounts() == (_POOL, *map(str, _VAULTS))


def test_that_a_snapshot_says_what_it_is_and_how_old() -> None:
    pools = _followed()
    pools.update(_vault(1, slot=9), seen_ms=_NOW_MS + 3)
    about = _one(pools).about
    assert (about.venue, about.kind, about.address) == ("raydium", "AMM v4", _POOL)
    assert about.mints == (_SOL, _USDC)
    assert about.spot == Decimal("0.15")
    assert (about.slot, about.seen_ms) == (5, _NOW_MS)


def test_that_it_quotes_what_the_program_did() -> None:
    pool = _one(_followed())  # the program's own answers, from a run of it
    assert pool.exact_in(_SOL, 10**9) == Fill(10**9, 149_622_015, 2_500_000, fee_on_input=True)
    assert pool.exact_out(_SOL, 149_000_000).paid == 995_842_675


def test_that_the_profit_owed_is_no_reserve() -> None:
    pool = _one(_followed(_account(owed=(10**12, 10**11))))
    assert pool.exact_in(_SOL, 10**9).received == 150_639_790


def test_that_the_way_of_the_trade_decides_the_reserves() -> None:
    pool = _one(_followed())
    assert pool.exact_in(_USDC, 10**9).received > 6 * 10**9
    with pytest.raises(Refused, match="reserves"):
        pool.exact_out(_USDC, _HELD[0])


def test_that_the_fee_is_the_accounts_own() -> None:
    free, dear = (_one(_followed(_account(fee=fee))) for fee in ((0, 1), (1, 2)))
    assert free.exact_in(_SOL, 10**9).fee == 0
    assert dear.exact_in(_SOL, 10**9).fee == 5 * 10**8
    assert free.curve(_SOL)[0].price == pytest.approx(2 * dear.curve(_SOL)[0].price)


def test_that_a_snapshot_does_not_change_and_the_next_one_does() -> None:
    pools = _followed()
    before = _one(pools)
    assert _one(pools) is before
    quoted = before.exact_in(_SOL, 10**9)
    pools.update(_vault(1, 10**11, slot=6), seen_ms=_NOW_MS)
    assert before.exact_in(_SOL, 10**9) == quoted
    assert _one(pools).exact_in(_SOL, 10**9).received < quoted.received


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (1, Refused, "pool.unsupported"),
        (2, Unavailable, "pool.disabled"),
        (3, Unavailable, "pool.disabled"),
        (4, Unavailable, "pool.disabled"),
        (5, Refused, "pool.unsupported"),
    ],
)
def test_that_a_pool_in_another_state_says_why_it_does_not_trade(
    status: int, kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind) as reason:
        _one(_followed(_account(status=status)))
    assert getattr(reason.value, "code", "") == code


def test_that_a_waiting_pool_opens_at_its_time() -> None:
    pools = _followed(_account(status=7, open_time_s=_NOW_S))
    with pytest.raises(Unavailable) as reason:
        _one(pools, _NOW_MS - 1)
    assert reason.value.code == "pool.not_open"
    assert _one(pools, _NOW_MS).exact_in(_SOL, 10**9).received == 149_622_015


def test_that_a_trading_pool_does_not_look_at_its_opening_time() -> None:
    pools = _followed(_account(status=6, open_time_s=_NOW_S + 1))
    assert _one(pools).exact_in(_SOL, 10**9).received == 149_622_015


@pytest.mark.parametrize("fee", [(1, 0), (1, 1), (2, 1)])
def test_that_a_fee_the_program_cannot_charge_is_unsupported(fee: tuple[int, int]) -> None:
    with pytest.raises(Refused) as reason:
        _one(_followed(_account(fee=fee)))
    assert reason.value.code == "pool.unsupported"


@pytest.mark.parametrize("owed", [(_HELD[0], 0), (0, _HELD[1])])
def test_that_a_pool_that_owes_all_it_holds_is_empty(owed: tuple[int, int]) -> None:
    with pytest.raises(Refused) as reason:
        _one(_followed(_account(owed=owed)))
    assert reason.value.code == "liquidity.insufficient"


def test_that_a_pool_that_owes_more_than_it_holds_is_gone_until_states_agree() -> None:
    pools = _followed(_account(owed=(0, _HELD[1] + 1)))
    with pytest.raises(Unavailable) as reason:
        _one(pools)
    assert reason.value.code == "pool.gone"
    pools.update(_vault(1, 2 * _HELD[1], slot=6), seen_ms=_NOW_MS)
    assert _one(pools).about.slot == 5


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (_vault(0, slot=6, owner=_POOL), "account.foreign"),
        (_vault(0, slot=6, program=TOKEN_2022), "account.foreign"),
        (_vault(0, slot=6, program=PROGRAM), "account.foreign"),
        (AccountState(str(_VAULTS[0]), b"", "", 6), "account.missing"),
        (AccountState(str(_VAULTS[0]), bytes(165), TOKEN_PROGRAM, 6), "account.unreadable"),
        (AccountState(_POOL, bytes(752), PROGRAM, 6), "account.unreadable"),
    ],
)
def test_that_a_bad_state_takes_the_pool_out_until_a_good_one(
    state: AccountState, code: str
) -> None:
    pools = _followed()
    with pytest.raises(Corrupt) as corrupt:
        pools.update(state, seen_ms=_NOW_MS)
    assert corrupt.value.code == code
    with pytest.raises(Unavailable) as reason:
        _one(pools)
    assert reason.value.code == "pool.gone"
    for good in (_amm(slot=7), _vault(0, slot=7), _vault(1, slot=7)):
        pools.update(good, seen_ms=_NOW_MS)
    assert _one(pools).about.slot == 7


def test_that_vaults_unseen_while_the_pool_was_unreadable_are_not_trusted() -> None:
    pools = _followed()
    with pytest.raises(Corrupt):
        pools.update(AccountState(_POOL, bytes(752), PROGRAM, 6), seen_ms=_NOW_MS)
    pools.update(_amm(slot=7), seen_ms=_NOW_MS)
    with pytest.raises(Unavailable):
        _one(pools)


@pytest.mark.parametrize(("exact_in", "tag"), [(True, 9), (False, 11)])
def test_that_a_trade_is_the_programs_call(*, exact_in: bool, tag: int) -> None:
    owner, purse, target = map(str, _KEYS[5:])
    swap = Swap(
        paid=_USDC,
        exact_in=exact_in,
        amount=3,
        limit=4,
        owner=owner,
        paid_from=purse,
        received_in=target,
    )
    call = _one(_followed()).instruction(swap)
    first, second = (3, 4) if exact_in else (4, 3)
    data = bytes([tag]) + first.to_bytes(8, "little") + second.to_bytes(8, "little")
    named = [meta.address for meta in call.accounts]
    assert (call.program, call.data) == (PROGRAM, data)
    assert named[:6] == [TOKEN_PROGRAM, _POOL, AUTHORITY, _POOL, *map(str, _VAULTS)]
    assert set(named[6:14]) == {_POOL}
    assert named[14:] == [purse, target, owner]
    assert call.accounts[-1] == AccountMeta(owner, is_signer=True, is_writable=False)
    written = {meta.address for meta in call.accounts if meta.is_writable}
    assert written == {_POOL, *map(str, _VAULTS), purse, target}
