"""A trader who trades with the venue can drive the localnet's pools as far as markets may move.

Everything the desk would do is done: accounts are followed, quoted, and swapped against on chain.
"""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.oracles.meteora.chain import Chain, Landed

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.localnet import meteora_pools
from quantdesk.venues.following import Pools
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.port import Fill, Pool, Swap

_NOW_S = 1_800_000_000
_SWAPS_MAX = 60
_STABLE = {"USDT-USDC", "PYUSD-USDC"}
_USD = {
    "SOL": Decimal(200),
    "USDC": Decimal(1),
    "USDT": Decimal("0.9998"),
    "BTC": Decimal(90_000),
    "ETH": Decimal(3_000),
    "PYUSD": Decimal("0.9997"),
}


@dataclass
class _Desk:
    """A venue that sees a chain, slot by slot."""

    market: Market
    chain: Chain
    venue: Pools
    slot: int = 0

    def look(self) -> None:
        self.slot += 1
        for _ in range(2):  # the pair first says which arrays to follow
            for address in self.venue.accounts():
                self.venue.update(self._state(address), seen_ms=_NOW_S * 1_000)

    def pool(self) -> Pool:
        mints = frozenset((self.market.base.mint, self.market.quote.mint))
        (pool,) = self.venue.pools(mints, now_ms=_NOW_S * 1_000)
        return pool

    def spot(self) -> Decimal:
        about = self.pool().about
        return about.spot if about.mints[0] == self.market.base.mint else 1 / about.spot

    def fill(self, side: Side, base_raw: int) -> Fill:
        """Return the trade of that size: exact in when it sells, exact out when it buys."""
        if side is Side.SELL:
            return self.pool().exact_in(self.market.base.mint, base_raw)
        return self.pool().exact_out(self.market.quote.mint, base_raw)

    def take(self, side: Side, fill: Fill) -> Landed:
        """Make a trade, bounded by just what it was to be."""
        sells = side is Side.SELL
        both = (self.market.base.mint, self.market.quote.mint)
        paid, received = both if sells else both[::-1]
        made = self.pool().instruction(
            Swap(
                paid=paid,
                exact_in=sells,
                amount=fill.paid if sells else fill.received,
                limit=fill.received if sells else fill.paid,
                owner=str(self.chain.trader.pubkey()),
                paid_from=self.chain.purse(paid),
                received_in=self.chain.purse(received),
            )
        )
        metas = [
            AccountMeta(Pubkey.from_string(meta.address), meta.is_signer, meta.is_writable)
            for meta in made.accounts
        ]
        landed = self.chain.send(Instruction(Pubkey.from_string(made.program), made.data, metas))
        self.look()
        return landed

    def _state(self, address: str) -> AccountState:
        account = self.chain.svm.get_account(Pubkey.from_string(address))
        if account is None:
            return AccountState(address, b"", "", self.slot)
        return AccountState(address, bytes(account.data), str(account.owner), self.slot)


def _desk(market: Market) -> _Desk:
    price = _USD[market.base.symbol] / _USD[market.quote.symbol]
    accounts = meteora_pools.accounts(market, price=price, depth_usd=Decimal(2_000_000), usd=_USD)
    chain = Chain(meteora_pools.program()[1], market, accounts, now_s=_NOW_S)
    venue = Pools("meteora", [DlmmFollowed(meteora_pools.address(market))])
    desk = _Desk(market, chain, venue)
    desk.look()
    return desk


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("market", MARKETS.values(), ids=list(MARKETS))
def test_fills_exactly_what_the_pool_said(market: Market, side: Side) -> None:
    desk = _desk(market)
    size = int(50_000 / _USD[market.base.symbol] * 10**market.base.decimals)
    for base_raw in (size, size // 1_000, 3 * size):
        fill = desk.fill(side, base_raw)

        landed = desk.take(side, fill)

        assert landed.error is None
        assert (landed.paid, landed.received) == (fill.paid, fill.received)
        assert (fill.paid if side is Side.SELL else fill.received) == base_raw


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("market", MARKETS.values(), ids=list(MARKETS))
def test_moves_as_far_as_the_market_may(market: Market, side: Side) -> None:
    desk = _desk(market)
    reach = Decimal("0.03") if market.pair in _STABLE else Decimal("0.30")
    size = int(1_500_000 / _USD[market.base.symbol] * 10**market.base.decimals)
    start = desk.spot()
    target = start * (1 + reach) if side is Side.BUY else start * (1 - reach)

    for _ in range(_SWAPS_MAX):
        if (desk.spot() >= target) if side is Side.BUY else (desk.spot() <= target):
            return
        try:
            fill = desk.fill(side, size)
        except Refused:
            size //= 2
            continue
        assert desk.take(side, fill).error is None
    pytest.fail(f"did not reach {target} in {_SWAPS_MAX} swaps")


def test_refuses_a_trade_the_market_has_left() -> None:
    desk = _desk(MARKETS["SOL-USDC"])
    first, second = desk.fill(Side.BUY, 10**12), desk.fill(Side.BUY, 10**9)

    assert desk.take(Side.BUY, first).error is None
    assert desk.take(Side.BUY, second).error == 6104


def test_returns_less_than_was_paid_on_the_way_back() -> None:
    desk = _desk(MARKETS["SOL-USDC"])
    bought = desk.fill(Side.BUY, 10**13)
    assert desk.take(Side.BUY, bought).error is None

    sold = desk.fill(Side.SELL, 10**13)

    assert desk.take(Side.SELL, sold).error is None
    assert sold.received < bought.paid
