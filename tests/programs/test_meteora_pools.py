"""A trader who quotes with the venue can drive the localnet's pools as far as markets may move.

Everything the desk would do is done: accounts are followed, quoted, and swapped against on chain.
"""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.oracles.meteora.chain import Chain, Landed

from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.localnet import meteora_pools
from quantdesk.venues.meteora.venue import Meteora
from quantdesk.venues.port import Quote, Swap

_NOW_S = 1_800_000_000
_SWAPS_MAX = 60
_USD = {
    "SOL": Decimal(200),
    "USDC": Decimal(1),
    "USDT": Decimal("0.9998"),
    "BTC": Decimal(90_000),
    "ETH": Decimal(3_000),
}


@dataclass
class _Desk:
    """A venue that sees a chain, slot by slot."""

    market: Market
    chain: Chain
    venue: Meteora
    slot: int = 0

    def look(self) -> None:
        self.slot += 1
        for _ in range(2):  # the pair first says which arrays to follow
            for address in self.venue.accounts():
                account = self.chain.svm.get_account(Pubkey.from_string(address))
                data = bytes(account.data) if account else b""
                self.venue.update(address, data, slot=self.slot, seen_ms=_NOW_S * 1_000)

    def quote(self, side: Side, base_raw: int) -> Quote:
        (quote,) = self.venue.quotes(self.market, side, base_raw, now_ms=_NOW_S * 1_000)
        return quote

    def take(self, quote: Quote) -> Landed:
        owner = str(self.chain.trader.pubkey())
        purses = [self.chain.purse(a.mint) for a in (self.market.base, self.market.quote)]
        (made,) = self.venue.instructions(Swap(quote, quote.quote_raw, owner, *purses))
        metas = [
            AccountMeta(Pubkey.from_string(meta.address), meta.is_signer, meta.is_writable)
            for meta in made.accounts
        ]
        landed = self.chain.send(Instruction(Pubkey.from_string(made.program), made.data, metas))
        self.look()
        return landed


def _desk(market: Market) -> _Desk:
    price = _USD[market.base.symbol] / _USD[market.quote.symbol]
    accounts = meteora_pools.accounts(market, price=price, depth_usd=Decimal(2_000_000), usd=_USD)
    chain = Chain(meteora_pools.program()[1], market, accounts, now_s=_NOW_S)
    desk = _Desk(market, chain, Meteora([meteora_pools.address(market)]))
    desk.look()
    return desk


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("market", MARKETS.values(), ids=list(MARKETS))
def test_fills_exactly_what_was_quoted(market: Market, side: Side) -> None:
    desk = _desk(market)
    size = int(50_000 / _USD[market.base.symbol] * 10**market.base.decimals)
    for base_raw in (size, size // 1_000, 3 * size):
        quote = desk.quote(side, base_raw)

        landed = desk.take(quote)

        assert landed.error is None
        moved = (landed.paid, landed.received)
        wanted = (base_raw, quote.quote_raw)
        assert moved == (wanted if side is Side.SELL else wanted[::-1])


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("market", MARKETS.values(), ids=list(MARKETS))
def test_moves_as_far_as_the_market_may(market: Market, side: Side) -> None:
    desk = _desk(market)
    reach = Decimal("0.03") if market.pair == "USDT-USDC" else Decimal("0.30")
    size = int(1_500_000 / _USD[market.base.symbol] * 10**market.base.decimals)
    start = desk.quote(side, size // 1_000).mid
    target = start * (1 + reach) if side is Side.BUY else start * (1 - reach)

    for _ in range(_SWAPS_MAX):
        try:
            quote = desk.quote(side, size)
        except Refused:
            size //= 2
            continue
        if (quote.mid >= target) if side is Side.BUY else (quote.mid <= target):
            return
        assert desk.take(quote).error is None
    pytest.fail(f"did not reach {target} in {_SWAPS_MAX} swaps")


def test_refuses_a_quote_the_market_has_left() -> None:
    desk = _desk(MARKETS["SOL-USDC"])
    first, second = desk.quote(Side.BUY, 10**12), desk.quote(Side.BUY, 10**9)

    assert desk.take(first).error is None
    assert desk.take(second).error == 6104


def test_returns_less_than_was_paid_on_the_way_back() -> None:
    desk = _desk(MARKETS["SOL-USDC"])
    bought = desk.quote(Side.BUY, 10**13)
    assert desk.take(bought).error is None

    sold = desk.quote(Side.SELL, 10**13)

    assert desk.take(sold).error is None
    assert sold.quote_raw < bought.quote_raw
