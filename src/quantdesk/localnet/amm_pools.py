"""Raydium AMM v4 pools for the localnet: one per market, with the liquidity it opens with.

The accounts stand at the real program's addresses in the real layout, as the program sets up a pool
without an order book. Addresses follow from a market of that book; where it would be, nothing
stands. The program knows the older token program only: a market of another asset has no pool. All
liquidity tokens are burned: the localnet's liquidity stays.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Final

from solders.pubkey import Pubkey

from quantdesk.core.assets import TOKEN_PROGRAM, Asset
from quantdesk.core.markets import Market
from quantdesk.localnet.accounts import GenesisAccount, token_account
from quantdesk.venues.raydium.amm_v4 import layout

_ORDER_BOOK: Final = Pubkey.from_string("srmqPvymJeFKQ4zGQed1GFppgRHL9kaELCbyksJtPX7")
_OWNER: Final = "GThUX1Atko4tqhN2NaiTazWSeFWMuiUvfFnyJyUghFMJ"
_SWAP_FEE: Final = (25, 10_000)  # 0.25 %; none of it is owed to anybody by a swap
_FEES: Final = (5, 10_000, 25, 10_000, 12, 100, *_SWAP_FEE)
_LEVELS, _RANGE = 7, 3
_IDLE, _NO_RESET = 1, 1
_CUT_MOST: Final = 500
_PRICE_LEAST, _PRICE_MOST = 1, 10**9
_DIGITS: Final = 60

_PROGRAM: Final = Pubkey.from_string(layout.PROGRAM)


@dataclass(frozen=True, slots=True)
class _Side:
    """One token of a pool and how much of it the pool opens with, in base units."""

    asset: Asset
    vault: str
    amount: int


def program() -> tuple[str, Path]:
    """Return the id of the program and the file of our build of it."""
    return layout.PROGRAM, Path(__file__).parent / "programs" / "raydium_amm_v4.so"


def has_pool(market: Market) -> bool:
    """Return whether the program can hold both assets."""
    return market.base.token_program == market.quote.token_program == TOKEN_PROGRAM


def address(market: Market) -> str:
    """Return the address of the market's pool."""
    return _associated(market, b"amm")


def accounts(
    market: Market, *, price: Decimal, depth_usd: Decimal, usd: Mapping[str, Decimal]
) -> list[GenesisAccount]:
    """Return the pool, its vaults and its liquidity mint; the other mints are not there.

    `price` is quote per base, `depth_usd` the worth of each side, `usd` the dollars per unit of
    both assets; where they disagree with `price`, the base side has the depth. Nothing for a market
    the program cannot hold.
    """
    if not has_pool(market):
        return []
    sides = _sides(market, price=price, base=depth_usd / usd[market.base.symbol])
    liquidity_mint = GenesisAccount(
        _associated(market, b"lp_mint"), TOKEN_PROGRAM, _liquidity_mint(market.base.decimals)
    )
    return [
        GenesisAccount(address(market), layout.PROGRAM, _pool(market, sides)),
        *(
            token_account(side.vault, asset=side.asset, owner=layout.AUTHORITY, amount=side.amount)
            for side in sides
        ),
        liquidity_mint,
    ]


def _sides(market: Market, *, price: Decimal, base: Decimal) -> tuple[_Side, _Side]:
    with localcontext(prec=_DIGITS):
        coin, pc = base, base * price
        return (
            _Side(market.base, _associated(market, b"coin_vault"), _raw(coin, market.base)),
            _Side(market.quote, _associated(market, b"pc_vault"), _raw(pc, market.quote)),
        )


def _pool(market: Market, sides: tuple[_Side, _Side]) -> bytes:
    """Return the account of a pool that trades.

    Values: https://github.com/raydium-io/raydium-amm (state.rs: AmmInfo and Fees, initialize).
    """
    coin, pc = sides
    one = 10 ** max(coin.asset.decimals, pc.asset.decimals)
    plan = (0, _CUT_MOST, one * 5 // 1000, 0, 0, _PRICE_LEAST, _PRICE_MOST, one)
    head = struct.pack(
        "<16Q",
        *(layout.Status.SWAP_ONLY, layout.NONCE, _LEVELS, _RANGE),
        *(coin.asset.decimals, pc.asset.decimals, _IDLE, _NO_RESET),
        *plan,
    )
    keys = (
        *(coin.vault, pc.vault, coin.asset.mint, pc.asset.mint),
        _associated(market, b"lp_mint"),
        _associated(market, b"open_order"),
        str(_order_book(market)),
        str(_ORDER_BOOK),
        _associated(market, b"target"),
    )
    named = b"".join(bytes(Pubkey.from_string(key)) for key in keys)
    owner = bytes(Pubkey.from_string(_OWNER))
    liquidity = math.isqrt(coin.amount * pc.amount)
    nothing_owed_or_traded = bytes(layout.ADDRESSES_AT - len(head) - 8 * len(_FEES))
    return b"".join(
        (
            *(head, struct.pack("<8Q", *_FEES), nothing_owed_or_traded, named, bytes(64), owner),
            struct.pack("<4Q", liquidity, 0, 0, 0),
        )
    )


def _liquidity_mint(decimals: int) -> bytes:
    authority = b"\x01\0\0\0" + bytes(Pubkey.from_string(layout.AUTHORITY))
    burned = bytes(8)
    return authority + burned + bytes((decimals, 1)) + bytes(36)


def _associated(market: Market, what: bytes) -> str:
    """Return where a pool keeps something: https://github.com/raydium-io/raydium-amm."""
    seeds = [bytes(_PROGRAM), bytes(_order_book(market)), what + b"_associated_seed"]
    return str(Pubkey.find_program_address(seeds, _PROGRAM)[0])


def _order_book(market: Market) -> Pubkey:
    mints = [bytes(Pubkey.from_string(asset.mint)) for asset in (market.base, market.quote)]
    return Pubkey.find_program_address([b"market", *mints], _ORDER_BOOK)[0]


def _raw(amount: Decimal, asset: Asset) -> int:
    return int(amount.scaleb(asset.decimals))
