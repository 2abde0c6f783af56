"""The localnet's pools stand where the real ones would, with the depth they promise."""

from decimal import Decimal

import pytest

from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import meteora_pools
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.meteora.dlmm.swap import ONE, price_of_bin

_USD = {
    "SOL": Decimal(200),
    "USDC": Decimal(1),
    "USDT": Decimal("0.9998"),
    "BTC": Decimal(90_000),
    "ETH": Decimal(3_000),
    "PYUSD": Decimal("0.9997"),
}
_DEPTH_USD = Decimal(2_000_000)
_WITHIN = Decimal("1.02025")  # 2 % in whole bins of 10 bps as of 1 bps
_EACH_MARKET = pytest.mark.parametrize("market", MARKETS.values(), ids=list(MARKETS))


def _price(market: Market) -> Decimal:
    return _USD[market.base.symbol] / _USD[market.quote.symbol]


def _made(market: Market) -> list[GenesisAccount]:
    return meteora_pools.accounts(market, price=_price(market), depth_usd=_DEPTH_USD, usd=_USD)


def _bins(market: Market) -> dict[Decimal, layout.Bin]:
    """Return the filled bins by their price in quote per base."""
    scale = market.base.decimals - market.quote.decimals
    return {
        (Decimal(bin_.price) / ONE).scaleb(scale): bin_
        for account in _made(market)[4:]
        for bin_ in layout.decode_bin_array(account.data).bins
        if bin_.liquidity
    }


@_EACH_MARKET
def test_stands_at_the_addresses_of_the_program(market: Market) -> None:
    made = _made(market)
    pair = layout.decode_pair(made[0].data)
    address = meteora_pools.address(market)

    assert made[0].address == address
    assert (pair.mint_x, pair.mint_y) == (market.base.mint, market.quote.mint)
    assert [account.address for account in made[1:4]] == [
        pair.reserve_x,
        pair.reserve_y,
        pair.oracle,
    ]
    arrays = [layout.decode_bin_array(account.data) for account in made[4:]]
    assert [account.address for account in made[4:]] == [
        layout.bin_array_address(address, array.index) for array in arrays
    ]
    assert all(layout.has_liquidity(pair, None, array.index) for array in arrays)
    assert sum(len(account.data) for account in made) < 130_000


@_EACH_MARKET
def test_opens_at_the_price(market: Market) -> None:
    pair = layout.decode_pair(_made(market)[0].data)
    opened = Decimal(price_of_bin(pair.active_id, pair.bin_step)) / ONE
    opened = opened.scaleb(market.base.decimals - market.quote.decimals)

    assert abs(opened / _price(market) - 1) * 10_000 <= Decimal(pair.bin_step) * 6 / 10


@_EACH_MARKET
def test_holds_the_depth_it_promises(market: Market) -> None:
    bins = _bins(market)
    mid = next(at for at, held in bins.items() if held.amount_x and held.amount_y)
    near = [held for at, held in bins.items() if max(at / mid, mid / at) < _WITHIN]
    bids = Decimal(sum(held.amount_y for held in near)).scaleb(-market.quote.decimals)
    asks = Decimal(sum(held.amount_x for held in near)).scaleb(-market.base.decimals)

    for amount, asset in ((bids, market.quote), (asks, market.base)):
        assert abs(amount * _USD[asset.symbol] / _DEPTH_USD - 1) < Decimal("0.000001")


@_EACH_MARKET
def test_reaches_as_far_as_the_market_may_move(market: Market) -> None:
    moves = Decimal("0.03") if market.pair in {"USDT-USDC", "PYUSD-USDC"} else Decimal("0.30")
    prices = sorted(_bins(market))

    assert prices[0] < _price(market) * (1 - moves)
    assert prices[-1] > _price(market) * (1 + moves)


@_EACH_MARKET
def test_backs_every_bin_by_its_reserves(market: Market) -> None:
    bins, made = _bins(market).values(), _made(market)
    held = [int.from_bytes(account.data[64:72], "little") for account in made[1:3]]

    assert held == [sum(b.amount_x for b in bins), sum(b.amount_y for b in bins)]
    for bin_ in bins:
        assert bin_.liquidity == bin_.price * bin_.amount_x + (bin_.amount_y << 64)


def test_backs_wrapped_sol_by_lamports() -> None:
    _, sol, usdc, *_ = _made(MARKETS["SOL-USDC"])

    assert sol.lamports == int.from_bytes(sol.data[64:72], "little") + 2_039_280
    assert sol.data[109:121] == b"\1\0\0\0" + (2_039_280).to_bytes(8, "little")
    assert usdc.lamports is None
    assert usdc.data[109:121] == bytes(12)


def test_names_the_program_and_its_file() -> None:
    address, file = meteora_pools.program()

    assert address == layout.PROGRAM
    assert file.read_bytes()[:4] == b"\x7fELF"
