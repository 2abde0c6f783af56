"""Meteora DAMM v2 pools for the localnet: one per market, with the liquidity it opens with.

The accounts stand at the real program's addresses in the real layout; the base asset is token A.
A pool is constant product between two prices as far from the opening one up as down, and collects
its fee in the quote asset. No position holds the liquidity: on the localnet it stays.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Final

from quantdesk.core.assets import TOKEN_2022, Asset
from quantdesk.core.markets import Market
from quantdesk.core.money import ceil_div
from quantdesk.localnet.accounts import GenesisAccount, token_account
from quantdesk.venues.meteora.damm_v2 import layout

_DIGITS: Final = 60
_X64: Final = 1 << 64
_X128: Final = 1 << 128


@dataclass(frozen=True, slots=True)
class Design:
    """How a pool is set up; `fee` is in 10^-9, `reach` the factor from its price to either end."""

    fee: int
    reach: Decimal


VOLATILE: Final = Design(fee=2_500_000, reach=Decimal(2))
"""0.25 %; from half to twice the opening price."""
STABLE: Final = Design(fee=100_000, reach=Decimal("1.05"))
"""0.01 %; 5 % to either side."""

_DOLLARS: Final = frozenset({"USDC", "USDT", "PYUSD"})


def program() -> tuple[str, Path]:
    """Return the id of the program and the file of our build of it."""
    return layout.PROGRAM, Path(__file__).parent / "programs" / "meteora_damm_v2.so"


def design(market: Market) -> Design:
    """Return how the pool of a market is set up."""
    return STABLE if {market.base.symbol, market.quote.symbol} <= _DOLLARS else VOLATILE


def address(market: Market) -> str:
    """Return the address of the market's pool."""
    return layout.custom_pool_address(market.base.mint, market.quote.mint)


def accounts(
    market: Market, *, price: Decimal, depth_usd: Decimal, usd: Mapping[str, Decimal]
) -> list[GenesisAccount]:
    """Return the pool and its two vaults; the mints are not among them.

    `price` is quote per base, `depth_usd` the worth of each side, `usd` the dollars per unit of
    both assets; where they disagree with `price`, the base side has the depth.
    """
    opened = pool(market, price=price, base=depth_usd / usd[market.base.symbol])
    assets = (market.base, market.quote)
    return [
        GenesisAccount(address(market), layout.PROGRAM, layout.encode_pool(opened)),
        *(
            token_account(vault, asset=asset, owner=layout.AUTHORITY, amount=amount)
            for vault, asset, amount in zip(opened.vaults, assets, opened.reserves, strict=True)
        ),
    ]


def pool(market: Market, *, price: Decimal, base: Decimal) -> layout.Pool:
    """Return a fresh pool that holds `base` units of the base asset at `price` quote per base.

    Amounts are those the program asks of who opens a pool with that liquidity:
    https://github.com/MeteoraAg/damm-v2 (liquidity_handler/concentrated_liquidity.rs).
    """
    plan = design(market)
    low, now, high = (
        sqrt_price(market, at) for at in (price / plan.reach, price, price * plan.reach)
    )
    liquidity = _raw(base, market.base) * now * high // (high - now)
    mints = (market.base.mint, market.quote.mint)
    at = address(market)
    return layout.Pool(
        mints=mints,
        vaults=(layout.vault_address(at, mints[0]), layout.vault_address(at, mints[1])),
        base_fee=layout.TimeSchedule(plan.fee),
        liquidity=liquidity,
        sqrt_price=now,
        sqrt_min=low,
        sqrt_max=high,
        sqrt_price_initial=now,
        reserves=(
            ceil_div(liquidity * (high - now), now * high),
            ceil_div(liquidity * (now - low), _X128),
        ),
        fee_mode=layout.FEE_IN_B,
        token_flags=(_flag(market.base), _flag(market.quote)),
    )


def sqrt_price(market: Market, price: Decimal) -> int:
    """Return the root of a price in base units, as Q64.64, rounded down."""
    with localcontext(prec=_DIGITS):
        raw = price.scaleb(market.quote.decimals - market.base.decimals)
        return math.isqrt(int(raw * _X64 * _X64))


def _flag(asset: Asset) -> int:
    return int(asset.token_program == TOKEN_2022)


def _raw(amount: Decimal, asset: Asset) -> int:
    return int(amount.scaleb(asset.decimals))
