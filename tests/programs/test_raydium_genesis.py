"""On every market of the localnet a trade is what the swap does: venue, genesis and program agree.

Nothing is set up by hand here but the mints and the trader's purse: pools are the localnet's own,
quotes and calls the venue's, and the VM runs the committed program.
"""

from decimal import Decimal
from typing import Final

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from quantdesk.chains.port import AccountState
from quantdesk.core.assets import ASSETS, Asset
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.localnet import raydium_pools
from quantdesk.localnet.accounts import GenesisAccount, mint, token_account
from quantdesk.venues.following import Pools
from quantdesk.venues.port import Pool, Swap
from quantdesk.venues.raydium.cpmm import layout
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed
from quantdesk.venues.reading import TokenAccount
from quantdesk.venues.reading import token_account as read

_USD: Final = {
    symbol: Decimal(price)
    for symbol, price in {
        "SOL": 150,
        "USDC": 1,
        "USDT": 1,
        "BTC": 60_000,
        "ETH": 3_000,
        "PYUSD": 1,
    }.items()
}
_NOW_S: Final = 1_800_000_000
_RENT: Final = 2_039_280


class _Localnet:
    """The genesis of one market, and a trader with plenty of both tokens."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.svm = LiteSVM()
        address, path = raydium_pools.program()
        self.svm.add_program_from_file(Pubkey.from_string(address), path)
        clock = self.svm.get_clock()
        clock.unix_timestamp = _NOW_S
        self.svm.set_clock(clock)
        price = _USD[market.base.symbol] / _USD[market.quote.symbol]
        for account in raydium_pools.accounts(
            market, price=price, depth_usd=Decimal(5_000_000), usd=_USD
        ):
            self._put(account)
        self.trader = Keypair()
        self.svm.airdrop(self.trader.pubkey(), 10**10)
        self.purses = {asset.symbol: self._purse(asset) for asset in (market.base, market.quote)}
        self.venue = Pools("raydium", [CpmmFollowed(raydium_pools.address(market))])

    def pool(self) -> Pool:
        """Return the pool as the chain has it now."""
        for _ in range(2):  # the pool first says which accounts to follow
            for address in self.venue.accounts():
                self.venue.update(self.state(address), seen_ms=1)
        mints = frozenset((self.market.base.mint, self.market.quote.mint))
        (pool,) = self.venue.pools(mints, now_ms=_NOW_S * 1000)
        return pool

    def swap(self, side: Side, base_raw: int, *, exact_in: bool) -> Swap:
        """Return a swap of the pool as it is, bounded by just what it gives now."""
        both = (self.market.base, self.market.quote)
        paid, received = both if side is Side.SELL else both[::-1]
        pool = self.pool()
        if side is Side.SELL:
            fill = pool.exact_in(paid.mint, base_raw)
        else:
            fill = pool.exact_out(paid.mint, base_raw)
        if not exact_in:
            fill = pool.exact_out(paid.mint, fill.received)
        elif side is Side.BUY:
            fill = pool.exact_in(paid.mint, fill.paid)
        return Swap(
            paid=paid.mint,
            exact_in=exact_in,
            amount=fill.paid if exact_in else fill.received,
            limit=fill.received if exact_in else fill.paid,
            owner=str(self.trader.pubkey()),
            paid_from=self.purses[paid.symbol],
            received_in=self.purses[received.symbol],
        )

    def take(self, swap: Swap) -> tuple[int, int]:
        """Return what the trader paid and received."""
        call = self.pool().instruction(swap)
        metas = [
            AccountMeta(Pubkey.from_string(meta.address), meta.is_signer, meta.is_writable)
            for meta in call.accounts
        ]
        calls = [Instruction(Pubkey.from_string(call.program), call.data, metas)]
        before = self._held(swap)
        blockhash = self.svm.latest_blockhash()
        message = MessageV0.try_compile(self.trader.pubkey(), calls, [], blockhash)
        done = self.svm.send_transaction(VersionedTransaction(message, [self.trader]))
        assert isinstance(done, TransactionMetadata), done.meta().logs()
        after = self._held(swap)
        return before[0] - after[0], after[1] - before[1]

    def lamports(self, address: str) -> int:
        account = self.svm.get_account(Pubkey.from_string(address))
        assert account is not None
        return account.lamports

    def layout(self) -> layout.Pool:
        """Return what the pool says of itself."""
        return layout.pool(self.state(raydium_pools.address(self.market)).data)

    def vaults(self) -> list[TokenAccount]:
        """Return what the vaults of token 0 and token 1 are."""
        pool = self.layout()
        return [
            read(self.state(vault), mint=named, owner=layout.AUTHORITY)
            for vault, named in zip(pool.vaults, pool.mints, strict=True)
        ]

    def _held(self, swap: Swap) -> tuple[int, int]:
        paid, received = (
            int.from_bytes(self.state(purse).data[64:72], "little")
            for purse in (swap.paid_from, swap.received_in)
        )
        return paid, received

    def _purse(self, asset: Asset) -> str:
        self._put(mint(asset, authority=str(Pubkey.new_unique())))
        address, owner = str(Pubkey.new_unique()), str(self.trader.pubkey())
        self._put(token_account(address, asset=asset, owner=owner, amount=1 << 60))
        return address

    def _put(self, made: GenesisAccount) -> None:
        rent = self.svm.minimum_balance_for_rent_exemption(len(made.data))
        account = Account(made.lamports or rent, made.data, Pubkey.from_string(made.owner))
        self.svm.set_account(Pubkey.from_string(made.address), account)

    def state(self, address: str) -> AccountState:
        """Return an account as the desk sees it."""
        account = self.svm.get_account(Pubkey.from_string(address))
        assert account is not None
        return AccountState(address, bytes(account.data), str(account.owner), 1)


@pytest.mark.parametrize("exact_in", [True, False])
@pytest.mark.parametrize("market", MARKETS.values(), ids=lambda market: market.pair)
def test_that_what_a_pool_says_is_what_happens(market: Market, *, exact_in: bool) -> None:
    net = _Localnet(market)
    one = 10**market.base.decimals
    for side, base_raw in (
        (Side.SELL, one // 100),
        (Side.BUY, one // 3),
        (Side.BUY, 7 * one),
        (Side.SELL, 5 * one + 1),
    ):
        swap = net.swap(side, base_raw, exact_in=exact_in)
        wanted = (swap.amount, swap.limit) if exact_in else (swap.limit, swap.amount)
        assert net.take(swap) == wanted


@pytest.mark.parametrize("market", MARKETS.values(), ids=lambda market: market.pair)
def test_that_a_pool_opens_at_the_price_and_depth_asked(market: Market) -> None:
    net = _Localnet(market)
    about = net.pool().about
    asked = _USD[market.base.symbol] / _USD[market.quote.symbol]
    spot = about.spot if about.mints[0] == market.base.mint else 1 / about.spot
    spot = spot.scaleb(market.base.decimals - market.quote.decimals)
    assert abs(spot / asked - 1) < Decimal("0.000001")
    worth = [
        Decimal(vault.amount).scaleb(-asset.decimals) * _USD[asset.symbol]
        for vault in net.vaults()
        for asset in ASSETS.values()
        if asset.mint == vault.mint
    ]
    assert all(abs(side - 5_000_000) < 1 for side in worth)


def test_that_wrapped_sol_in_a_vault_is_backed_by_lamports_before_and_after() -> None:
    net = _Localnet(MARKETS["SOL-USDC"])
    pool = net.layout()
    token = pool.mints.index(ASSETS["SOL"].mint)
    for side in Side:
        net.take(net.swap(side, 10**9, exact_in=side is Side.SELL))
        assert net.lamports(pool.vaults[token]) == _RENT + net.vaults()[token].amount
