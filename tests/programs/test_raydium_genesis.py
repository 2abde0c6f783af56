"""On every market of the localnet a quote is what the swap does: venue, genesis and program agree.

Nothing is set up by hand here but the mints and the trader's purse: pools are the localnet's own,
quotes and calls the venue's, and the VM runs the committed program.
"""

import struct
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

from quantdesk.core.assets import ASSETS, Asset
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.localnet import raydium_pools
from quantdesk.venues.port import Quote, Swap
from quantdesk.venues.raydium import layout
from quantdesk.venues.raydium.venue import Raydium

_USD: Final = {
    symbol: Decimal(price)
    for symbol, price in {"SOL": 150, "USDC": 1, "USDT": 1, "BTC": 60_000, "ETH": 3_000}.items()
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
            self._put(account.address, account.data, account.owner, account.lamports)
        self.trader = Keypair()
        self.svm.airdrop(self.trader.pubkey(), 10**10)
        self.purses = {asset.symbol: self._purse(asset) for asset in (market.base, market.quote)}
        self.venue = Raydium([raydium_pools.address(market)])

    def quote(self, side: Side, base_raw: int) -> Quote:
        for address in (*self.venue.accounts(), *self.learned()):
            self.venue.update(address, self.data(address), slot=1, seen_ms=1)
        (quote,) = self.venue.quotes(self.market, side, base_raw, now_ms=_NOW_S * 1000)
        return quote

    def take(self, quote: Quote) -> tuple[int, int]:
        """Return how the trader's base and quote balances moved; the limit is the quote itself."""
        swap = Swap(
            quote,
            limit_raw=quote.quote_raw,
            owner=str(self.trader.pubkey()),
            base_account=self.purses[self.market.base.symbol],
            quote_account=self.purses[self.market.quote.symbol],
        )
        calls = [
            Instruction(
                Pubkey.from_string(call.program),
                call.data,
                [
                    AccountMeta(Pubkey.from_string(m.address), m.is_signer, m.is_writable)
                    for m in call.accounts
                ],
            )
            for call in self.venue.instructions(swap)
        ]
        before = self._held()
        blockhash = self.svm.latest_blockhash()
        message = MessageV0.try_compile(self.trader.pubkey(), calls, [], blockhash)
        done = self.svm.send_transaction(VersionedTransaction(message, [self.trader]))
        assert isinstance(done, TransactionMetadata), done.meta().logs()
        after = self._held()
        return after[0] - before[0], after[1] - before[1]

    def lamports(self, address: str) -> int:
        account = self.svm.get_account(Pubkey.from_string(address))
        assert account is not None
        return account.lamports

    def learned(self) -> tuple[str, ...]:
        pool = layout.pool(self.data(raydium_pools.address(self.market)))
        return (pool.config, *pool.vaults)

    def _held(self) -> tuple[int, int]:
        base, quote = (
            layout.vault(self.data(self.purses[asset.symbol])).amount
            for asset in (self.market.base, self.market.quote)
        )
        return base, quote

    def _purse(self, asset: Asset) -> str:
        self._put(
            asset.mint,
            bytes(36) + struct.pack("<QBB", 1 << 63, asset.decimals, 1) + bytes(36),
            layout.TOKEN_PROGRAM,
        )
        amount, native = 1 << 60, asset == ASSETS["SOL"]
        data = (
            bytes(Pubkey.from_string(asset.mint))
            + bytes(self.trader.pubkey())
            + struct.pack("<Q", amount)
            + bytes(36)
            + b"\x01"
            + (struct.pack("<IQ", 1, _RENT) if native else bytes(12))
            + bytes(44)
        )
        address = str(Pubkey.new_unique())
        self._put(address, data, layout.TOKEN_PROGRAM, _RENT + amount if native else None)
        return address

    def _put(self, address: str, data: bytes, owner: str, lamports: int | None = None) -> None:
        rent = self.svm.minimum_balance_for_rent_exemption(len(data))
        account = Account(lamports or rent, data, Pubkey.from_string(owner))
        self.svm.set_account(Pubkey.from_string(address), account)

    def data(self, address: str) -> bytes:
        account = self.svm.get_account(Pubkey.from_string(address))
        assert account is not None
        return bytes(account.data)


@pytest.mark.parametrize("market", MARKETS.values(), ids=lambda market: market.pair)
def test_that_what_is_quoted_is_what_happens(market: Market) -> None:
    net = _Localnet(market)
    one = 10**market.base.decimals
    for side, base_raw in (
        (Side.SELL, one // 100),
        (Side.BUY, one // 3),
        (Side.BUY, 7 * one),
        (Side.SELL, 5 * one + 1),
    ):
        quote = net.quote(side, base_raw)
        sign = 1 if side is Side.BUY else -1
        assert net.take(quote) == (sign * base_raw, -sign * quote.quote_raw)


@pytest.mark.parametrize("market", MARKETS.values(), ids=lambda market: market.pair)
def test_that_a_pool_opens_at_the_price_and_depth_asked(market: Market) -> None:
    net = _Localnet(market)
    quote = net.quote(Side.SELL, 10**market.base.decimals)
    asked = _USD[market.base.symbol] / _USD[market.quote.symbol]
    assert abs(quote.mid / asked - 1) < Decimal("0.000001")
    held = [layout.vault(net.data(vault)) for vault in net.learned()[1:]]
    worth = [
        Decimal(vault.amount).scaleb(-asset.decimals) * _USD[asset.symbol]
        for vault in held
        for asset in ASSETS.values()
        if asset.mint == vault.mint
    ]
    assert all(abs(side - 5_000_000) < 1 for side in worth)


def test_that_wrapped_sol_in_a_vault_is_backed_by_lamports_before_and_after() -> None:
    net = _Localnet(MARKETS["SOL-USDC"])
    pool = layout.pool(net.data(raydium_pools.address(net.market)))
    vault = pool.vaults[pool.mints.index(ASSETS["SOL"].mint)]
    for side in Side:
        net.take(net.quote(side, 10**9))
        assert net.lamports(vault) == _RENT + layout.vault(net.data(vault)).amount
