"""Our Raydium CPMM moves tokens that pay transfer fees as the desk quotes it, to the unit.

The real Token-2022 program, which LiteSVM brings along, takes the fees; pool and mints are read
from the chain as the desk reads them, and the calls are its own.
"""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from tests.programs.raydium_world import NOW_S, Outcome, World, mint_account
from tests.unit.venues import minted

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import DeskError, Refused
from quantdesk.venues.mints import SLOTS_PER_EPOCH
from quantdesk.venues.port import Fill, Swap
from quantdesk.venues.raydium.cpmm import layout
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed, CpmmPool
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM
from quantdesk.venues.transfer_fee import FREE, TransferFee

_EPOCH: Final = 7
_PROGRAMS_AT: Final = 232
_SLIPPAGE, _NOTHING = 6005, 2505
_HUNDREDTH: Final = TransferFee(100, minted.U64_MAX)
_FEES: Final = (
    FREE,
    TransferFee(1, 10**6),
    TransferFee(30, 7),
    _HUNDREDTH,
    TransferFee(333, 10**5),
    TransferFee(9_999, minted.U64_MAX),
    TransferFee(10_000, 10**4),
)


class FeeWorld(World):
    """The same pool, of Token-2022 tokens."""

    def mint(self, *fees: TransferFee, newer: TransferFee | None = None, more: bytes = b"") -> None:
        """Make both tokens such that their transfers pay these fees; the second may be left out.

        `newer` follows in the next epoch, `more` is what else the first token's mint says.
        """
        self.reset()
        for mint, decimals in zip(self.mints, self.pool.decimals, strict=True):
            self.put(mint, mint_account(decimals), TOKEN_PROGRAM)
        for token, fee in enumerate(fees):
            data = minted.mint(
                fee,
                newer,
                since=_EPOCH + 1,
                decimals=self.pool.decimals[token],
                more=b"" if token else more,
            )
            self.put(self.mints[token], data, TOKEN_2022)
            pool = bytearray(self.data(self.pool_address))
            at = _PROGRAMS_AT + 32 * token
            pool[at : at + 32] = bytes(Pubkey.from_string(TOKEN_2022))
            self.put(self.pool_address, bytes(pool), layout.PROGRAM)
            for address, owner in (
                (self.vaults[token], layout.AUTHORITY),
                (self.purses[token], str(self.trader.pubkey())),
            ):
                held = int.from_bytes(self.data(address)[64:72], "little")
                account = minted.account(str(self.mints[token]), owner, held)
                self.put(address, account, TOKEN_2022)

    def read(self, epoch: int = _EPOCH) -> CpmmPool:
        """Return the pool as the desk sees it."""
        followed = CpmmFollowed(str(self.pool_address))
        given_: set[str] = set()
        while wanted := [at for at in followed.accounts() if at not in given_]:
            for at in wanted:
                account = self.svm.get_account(Pubkey.from_string(at))
                assert account is not None
                state = AccountState(
                    at, bytes(account.data), str(account.owner), epoch * SLOTS_PER_EPOCH
                )
                followed.update(state, seen_ms=1)
                given_.add(at)
        return followed.snapshot(now_ms=NOW_S * 1_000)

    def take(self, amount: int, limit: int, *, token: int, exact_in: bool) -> Outcome:
        """Trade with the pool by the desk's own call."""
        call = self.read().instruction(
            Swap(
                paid=str(self.mints[token]),
                exact_in=exact_in,
                amount=amount,
                limit=limit,
                owner=str(self.trader.pubkey()),
                paid_from=str(self.purses[token]),
                received_in=str(self.purses[1 - token]),
            )
        )
        return self.send(call, token)


@pytest.fixture(scope="module")
def world() -> FeeWorld:
    return FeeWorld()


def _quoted(pool: CpmmPool, amount: int, *, token: int, exact_in: bool) -> Fill | None:
    try:
        return (pool.exact_in if exact_in else pool.exact_out)(pool.pool.mints[token], amount)
    except Refused:
        return None


def _lands_as_quoted(world: FeeWorld, amount: int, *, token: int, exact_in: bool) -> bool:
    """Hold a trade against its quote; return whether there was one."""
    fill = _quoted(world.read(), amount, token=token, exact_in=exact_in)
    before = world.amounts()
    loosest = 0 if exact_in else minted.U64_MAX
    if fill is None or fill.paid > before[token]:
        assert world.take(amount, loosest, token=token, exact_in=exact_in).error is not None
        assert world.amounts() == before
        return False
    limit, worse = (fill.received, 1) if exact_in else (fill.paid, -1)
    refused = world.take(amount, limit + worse, token=token, exact_in=exact_in)
    assert refused.error == _SLIPPAGE
    done = world.take(amount, limit, token=token, exact_in=exact_in)
    assert (done.error, done.paid, done.received) == (None, fill.paid, fill.received)
    return True


@pytest.mark.parametrize("second", _FEES, ids=str)
@pytest.mark.parametrize("first", _FEES, ids=str)
def test_that_a_swap_lands_as_quoted(
    world: FeeWorld, first: TransferFee, second: TransferFee
) -> None:
    traded = 0
    for token in (0, 1):
        for exact_in in (True, False):
            for amount in (1, 101, 10**4 + 1, 10**7, 10**9):
                world.mint(first, second)
                traded += _lands_as_quoted(world, amount, token=token, exact_in=exact_in)
    assert traded >= 6


@settings(max_examples=150, deadline=None)
@given(
    fees=st.lists(minted.fees(), min_size=1, max_size=2),
    reserves=st.tuples(st.integers(1, 1 << 62), st.integers(1, 1 << 62)),
    amount=st.integers(1, 1 << 62) | st.integers(1, 1 << 24),
    token=st.integers(0, 1),
    exact_in=st.booleans(),
)
def test_that_any_swap_lands_as_quoted_or_fails(
    world: FeeWorld,
    *,
    fees: list[TransferFee],
    reserves: tuple[int, int],
    amount: int,
    token: int,
    exact_in: bool,
) -> None:
    world.mint(*fees)
    world.fill(*reserves)
    _lands_as_quoted(world, amount, token=token, exact_in=exact_in)


@pytest.mark.parametrize("token", [0, 1])
def test_that_a_share_past_64_bits_is_no_more_than_the_most(world: FeeWorld, token: int) -> None:
    fee = TransferFee(9_999, 100)
    world.mint(fee, fee)
    world.fill(1 << 61, 1 << 61)
    assert _lands_as_quoted(world, 1 << 60, token=token, exact_in=False)


def test_that_what_is_withheld_is_neither_the_pools_nor_the_traders(world: FeeWorld) -> None:
    world.mint(_HUNDREDTH, _HUNDREDTH)
    before = world.amounts()
    done = world.take(10**9, 0, token=0, exact_in=True)
    after = world.amounts()
    assert done.paid == 10**9
    assert after[2] - before[2] == 99 * 10**7
    sent = before[3] - after[3]
    assert done.received == _HUNDREDTH.after(sent)


def test_that_the_fee_of_the_epoch_is_taken(world: FeeWorld) -> None:
    world.mint(_HUNDREDTH, newer=TransferFee(5_000, minted.U64_MAX))
    now, then = world.read(_EPOCH), world.read(_EPOCH + 1)
    mint = now.pool.mints[0]
    assert now.exact_in(mint, 10**6).received > then.exact_in(mint, 10**6).received
    world.at(NOW_S, epoch=_EPOCH + 1)
    done = world.take(10**6, 0, token=0, exact_in=True)
    assert done.received == then.exact_in(mint, 10**6).received


@pytest.mark.parametrize("token", [0, 1])
def test_that_nothing_is_traded_where_a_transfer_takes_all(world: FeeWorld, token: int) -> None:
    world.mint(TransferFee(10_000, minted.U64_MAX))
    before = world.amounts()
    assert world.take(10**6, 0, token=token, exact_in=True).error == _NOTHING
    assert world.amounts() == before


def test_that_a_mint_that_runs_a_program_is_refused_before_it_is_called(world: FeeWorld) -> None:
    world.mint(_HUNDREDTH, more=minted.HOOK)
    with pytest.raises(DeskError) as refused:
        world.read()
    assert refused.value.code == "pool.unsupported"


def test_that_a_swap_of_charging_tokens_stays_within_a_budget_of_compute(world: FeeWorld) -> None:
    world.mint(_HUNDREDTH, _HUNDREDTH)
    about = world.read().about
    used = [world.take(10**6, 0, token=0, exact_in=True).compute_units for _ in range(2)]
    assert max(used) < about.compute_units
