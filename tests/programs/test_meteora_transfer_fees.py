"""Our Meteora and CLMM programs move tokens that pay transfer fees as quoted, to the unit.

The real Token-2022 program, which LiteSVM brings along, takes the fees; pools are the localnet's
own, read from the chain as the desk reads them, and the calls are the desk's.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata
from tests.unit.venues import minted

from quantdesk.chains.port import AccountState
from quantdesk.core.assets import TOKEN_2022, Asset
from quantdesk.core.errors import Refused
from quantdesk.core.markets import Market
from quantdesk.localnet import clmm_pools, damm_pools, meteora_pools
from quantdesk.localnet.accounts import GenesisAccount, token_account
from quantdesk.venues.following import Followed
from quantdesk.venues.meteora.damm_v2.pool import FollowedDammV2
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.port import Fill, Pool, Swap
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed
from quantdesk.venues.transfer_fee import FREE, TransferFee

_NOW_S: Final = 1_800_000_000
_PURSE: Final = 1 << 60
_UNITS_MAX: Final = 1_400_000
_ASSETS: Final = tuple(
    Asset(name, decimals, str(Pubkey.from_bytes(bytes([number]) * 32)), TOKEN_2022)
    for number, name, decimals in ((31, "ONE", 6), (32, "TWO", 9))
)
_MARKET: Final = Market(*_ASSETS)
_MINTS: Final = tuple(asset.mint for asset in _ASSETS)
_HUNDREDTH: Final = TransferFee(100, minted.U64_MAX)
_FEES: Final = (FREE, TransferFee(30, 7), _HUNDREDTH, TransferFee(333, 10**5))


class _Kind(NamedTuple):
    """A kind of pool under test; the codes are those of a bound that is broken."""

    program: tuple[str, Path]
    accounts: Callable[..., list[GenesisAccount]]
    followed: Callable[[], Followed]
    too_little: int
    too_much: int


_KINDS: Final = {
    "dlmm": _Kind(
        meteora_pools.program(),
        meteora_pools.accounts,
        lambda: DlmmFollowed(meteora_pools.address(_MARKET)),
        6003,
        6104,
    ),
    "damm_v2": _Kind(
        damm_pools.program(),
        damm_pools.accounts,
        lambda: FollowedDammV2(damm_pools.address(_MARKET)),
        6002,
        6002,
    ),
    "clmm": _Kind(
        clmm_pools.program(),
        clmm_pools.accounts,
        lambda: ClmmFollowed(clmm_pools.address(_MARKET)),
        6018,
        6019,
    ),
}


class World:
    """One pool of two Token-2022 tokens and a trader with plenty of both."""

    def __init__(self, kind: _Kind) -> None:
        self.kind = kind
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        address, path = kind.program
        self.svm.add_program_from_file(Pubkey.from_string(address), path)
        clock = self.svm.get_clock()
        clock.unix_timestamp = _NOW_S
        self.svm.set_clock(clock)
        self.trader = Keypair.from_seed(bytes([9]) * 32)
        self.svm.airdrop(self.trader.pubkey(), 10**12)
        self.purses = [str(Pubkey.from_bytes(bytes([n]) * 32)) for n in (41, 42)]
        self.mint(FREE, FREE)

    def mint(self, *fees: TransferFee) -> None:
        """Open the pool anew, of tokens whose transfers pay these fees."""
        usd = {asset.symbol: Decimal(1) for asset in _ASSETS}
        for account in self.kind.accounts(
            _MARKET, price=Decimal(1), depth_usd=Decimal(1_000_000), usd=usd
        ):
            self._put(account)
        owner = str(self.trader.pubkey())
        for asset, fee, purse in zip(_ASSETS, fees, self.purses, strict=True):
            data = minted.mint(fee, decimals=asset.decimals)
            self._put(GenesisAccount(asset.mint, TOKEN_2022, data))
            self._put(token_account(purse, asset=asset, owner=owner, amount=_PURSE))

    def read(self) -> Pool:
        """Return the pool as the desk sees it."""
        followed, given_ = self.kind.followed(), set[str]()
        while wanted := [at for at in followed.accounts() if at not in given_]:
            for at in wanted:
                account = self.svm.get_account(Pubkey.from_string(at))
                state = AccountState(at, b"", "", 1)
                if account is not None:
                    state = AccountState(at, bytes(account.data), str(account.owner), 1)
                followed.update(state, seen_ms=1)
                given_.add(at)
        return followed.snapshot(now_ms=_NOW_S * 1_000)

    def amounts(self) -> list[int]:
        """Return what the trader holds of each token."""
        found = []
        for purse in self.purses:
            account = self.svm.get_account(Pubkey.from_string(purse))
            assert account is not None
            found.append(int.from_bytes(account.data[64:72], "little"))
        return found

    def take(self, amount: int, limit: int, *, token: int, exact_in: bool) -> int | str | None:
        """Trade with the pool by the desk's own call; return the error, if there is one."""
        call = self.read().instruction(
            Swap(
                paid=_MINTS[token],
                exact_in=exact_in,
                amount=amount,
                limit=limit,
                owner=str(self.trader.pubkey()),
                paid_from=self.purses[token],
                received_in=self.purses[1 - token],
            )
        )
        metas = [
            AccountMeta(Pubkey.from_string(meta.address), meta.is_signer, meta.is_writable)
            for meta in call.accounts
        ]
        steps = [
            set_compute_unit_limit(_UNITS_MAX),
            Instruction(Pubkey.from_string(call.program), call.data, metas),
        ]
        self.svm.expire_blockhash()
        message = MessageV0.try_compile(
            self.trader.pubkey(), steps, [], self.svm.latest_blockhash()
        )
        done = self.svm.send_transaction(VersionedTransaction(message, [self.trader]))
        if not isinstance(done, FailedTransactionMetadata):
            self.units = done.compute_units_consumed()
            return None
        error = done.err()
        inner = getattr(error, "err", error)
        return int(inner.code) if hasattr(inner, "code") else str(inner)

    def _put(self, made: GenesisAccount) -> None:
        rent = self.svm.minimum_balance_for_rent_exemption(len(made.data))
        account = Account(rent, made.data, Pubkey.from_string(made.owner))
        self.svm.set_account(Pubkey.from_string(made.address), account)


@pytest.fixture(scope="module", params=_KINDS.values(), ids=list(_KINDS))
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def _quoted(pool: Pool, amount: int, *, token: int, exact_in: bool) -> Fill | None:
    try:
        return (pool.exact_in if exact_in else pool.exact_out)(_MINTS[token], amount)
    except Refused:
        return None


def _lands_as_quoted(world: World, amount: int, *, token: int, exact_in: bool) -> bool:
    """Hold a trade against its quote; return whether there was one."""
    fill = _quoted(world.read(), amount, token=token, exact_in=exact_in)
    before = world.amounts()
    if fill is None:
        return False
    limit, worse = (fill.received, 1) if exact_in else (fill.paid, -1)
    broken = world.kind.too_little if exact_in else world.kind.too_much
    assert world.take(amount, limit + worse, token=token, exact_in=exact_in) == broken
    assert world.amounts() == before
    assert world.take(amount, limit, token=token, exact_in=exact_in) is None
    after = world.amounts()
    assert before[token] - after[token] == fill.paid
    assert after[1 - token] - before[1 - token] == fill.received
    return True


@pytest.mark.parametrize("second", _FEES, ids=str)
@pytest.mark.parametrize("first", _FEES, ids=str)
def test_that_a_swap_lands_as_quoted(world: World, first: TransferFee, second: TransferFee) -> None:
    world.mint(first, second)
    traded = 0
    for token in (0, 1):
        for exact_in in (True, False):
            for amount in (101_003, 10**7 + 1, 10**10, 10**12):
                traded += _lands_as_quoted(world, amount, token=token, exact_in=exact_in)
    assert traded >= 8


@settings(max_examples=60, deadline=None)
@given(
    fees=st.tuples(minted.fees(), minted.fees()),
    amount=st.integers(1, 1 << 42) | st.integers(1, 1 << 20),
    token=st.integers(0, 1),
    exact_in=st.booleans(),
)
def test_that_any_swap_lands_as_quoted(
    world: World, *, fees: tuple[TransferFee, TransferFee], amount: int, token: int, exact_in: bool
) -> None:
    world.mint(*fees)
    _lands_as_quoted(world, amount, token=token, exact_in=exact_in)


@pytest.mark.parametrize("token", [0, 1])
def test_that_nothing_is_traded_where_a_transfer_takes_all(world: World, token: int) -> None:
    everything = TransferFee(10_000, minted.U64_MAX)
    world.mint(*((everything, FREE) if token == 0 else (FREE, everything)))
    before = world.amounts()

    assert world.take(10**6, 0, token=token, exact_in=True) is not None
    assert world.amounts() == before


def test_that_a_swap_of_charging_tokens_stays_within_a_budget_of_compute(world: World) -> None:
    world.mint(_HUNDREDTH, _HUNDREDTH)
    budget = world.read().about.compute_units
    assert world.take(10**6, 0, token=0, exact_in=True) is None
    assert world.units < budget
