"""Raydium CLMM pools for the localnet: one per market, with the liquidity it opens with.

The accounts stand at the real program's addresses in the real layout, under fee configs 2 and 4 of
mainnet. Liquidity lies in ranges around the opening price, one within the other, so that a trade of
some size crosses ticks and the widest is still there when the market has moved. No positions stand
for the ranges: on the localnet the liquidity stays.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from quantdesk.core.assets import Asset
from quantdesk.core.markets import Market
from quantdesk.core.money import ceil_div
from quantdesk.localnet.accounts import GenesisAccount, token_account
from quantdesk.venues.raydium.clmm import layout, ticks

OBSERVATION_BYTES: Final = 4_483
OBSERVATION_DISCRIMINATOR: Final = bytes.fromhex("7aaec5358109a584")

_PROTOCOL_SHARE: Final = 120_000  # millionths of the fee
_FUND_SHARE: Final = 40_000
_ADMIN: Final = "GThUX1Atko4tqhN2NaiTazWSeFWMuiUvfFnyJyUghFMJ"
_DEPTH_TICKS: Final = 198  # `depth_usd` is what lies within 2 % of the price, on each side
_DIGITS: Final = 60


@dataclass(frozen=True, slots=True)
class Design:
    """How a pool is set up; `fee` is in millionths.

    `ranges` are (ticks from the price to either end, how dense against the others).
    """

    config: int
    tick_spacing: int
    fee: int
    ranges: tuple[tuple[int, int], ...]


VOLATILE: Final = Design(2, 10, 500, ((100, 3), (240, 2), (600, 2), (1_800, 1), (7_000, 2)))
"""0.05 %; densest within 1 %, reaching from half to twice the opening price."""
STABLE: Final = Design(4, 1, 100, ((4, 4), (12, 3), (40, 2), (500, 1)))
"""0.01 %; densest within 0.04 %, reaching 5 % to either side."""

_DOLLARS: Final = frozenset({"USDC", "USDT", "PYUSD"})


class Range(NamedTuple):
    """Liquidity between two ticks."""

    lower: int
    upper: int
    liquidity: int


def program() -> tuple[str, Path]:
    """Return the id of the program and the file of our build of it."""
    return layout.PROGRAM, Path(__file__).parent / "programs" / "raydium_clmm.so"


def design(market: Market) -> Design:
    """Return how the pool of a market is set up."""
    return STABLE if {market.base.symbol, market.quote.symbol} <= _DOLLARS else VOLATILE


def address(market: Market) -> str:
    """Return the address of the market's pool."""
    return layout.pool_address(config_address(market), _mints(market))[0]


def config_address(market: Market) -> str:
    """Return the address of the fee config of the market's pool."""
    return layout.config_address(design(market).config)[0]


def accounts(
    market: Market, *, price: Decimal, depth_usd: Decimal, usd: Mapping[str, Decimal]
) -> list[GenesisAccount]:
    """Return the pool, its config, vaults, observation, bitmap extension and tick arrays.

    The mints are not among them. `price` is quote per base, `depth_usd` what can be traded within
    2 % of it on each side, `usd` the dollars per unit of both assets; where they disagree with
    `price`, the base side has the depth. Markets of one design share a config.
    """
    plan, at = design(market), address(market)
    root = sqrt_price(market, price)
    base = int((depth_usd / usd[market.base.symbol]).scaleb(market.base.decimals))
    ranges = [*_ranges(plan, root, base, is_first=_is_first(market.base, market))]
    found = _ticks(ranges)
    span = layout.ARRAY_TICKS * plan.tick_spacing
    starts = sorted({tick // span * span for tick in found})
    owned = {
        at: _pool(market, root, ranges, starts),
        config_address(market): _config(plan),
        layout.observation_address(at): _observation(at),
        layout.extension_address(at): _extension(at),
        **{
            layout.tick_array_address(at, start): _array(at, start, plan.tick_spacing, found)
            for start in starts
        },
    }
    return [
        *(GenesisAccount(key, layout.PROGRAM, data) for key, data in owned.items()),
        *(
            token_account(
                layout.vault_address(at, asset.mint), asset=asset, owner=at, amount=amount
            )
            for asset, amount in zip(_assets(market), _amounts(ranges, root), strict=True)
        ),
    ]


def sqrt_price(market: Market, price: Decimal) -> int:
    """Return the root of a price, quote per base, as the pool of a market has it: Q64.64."""
    with localcontext(prec=_DIGITS):
        raw = price.scaleb(market.quote.decimals - market.base.decimals)
        if not _is_first(market.base, market):
            raw = 1 / raw
        return math.isqrt(int(raw * ticks.ONE * ticks.ONE))


def _ranges(plan: Design, root: int, base: int, *, is_first: bool) -> Iterator[Range]:
    """Yield the ranges around a price that hold `base` of the base asset within 2 % of it."""
    middle = ticks.tick_at(root) // plan.tick_spacing * plan.tick_spacing
    unit = sum(
        weight * held[0 if is_first else 1]
        for reach, weight in plan.ranges
        for held in [_within(min(reach, _DEPTH_TICKS), root, middle)]
    )
    for reach, weight in plan.ranges:
        yield Range(middle - reach, middle + reach, int(weight * base / unit))


def _within(reach: int, root: int, middle: int) -> tuple[Decimal, Decimal]:
    """Return what a unit of liquidity within these ticks holds of token 0 and of token 1."""
    with localcontext(prec=_DIGITS):
        low, high = (Decimal(ticks.sqrt_price_at(middle + end)) for end in (-reach, reach))
        return (1 / Decimal(root) - 1 / high) * ticks.ONE, (root - low) / ticks.ONE


def _amounts(ranges: list[Range], root: int) -> tuple[int, int]:
    """Return what the vaults hold: what who opens the positions is asked for."""
    first = second = 0
    for lower, upper, liquidity in ranges:
        low, high = ticks.sqrt_price_at(lower), ticks.sqrt_price_at(upper)
        first += ceil_div(liquidity * (high - root) << 64, high * root)
        second += ceil_div(liquidity * (root - low), ticks.ONE)
    return first, second


def _ticks(ranges: list[Range]) -> dict[int, tuple[int, int]]:
    """Return net and gross liquidity by tick."""
    found: dict[int, tuple[int, int]] = {}
    for lower, upper, liquidity in ranges:
        for tick, net in ((lower, liquidity), (upper, -liquidity)):
            before = found.get(tick, (0, 0))
            found[tick] = (before[0] + net, before[1] + liquidity)
    return found


def _pool(market: Market, root: int, ranges: list[Range], starts: list[int]) -> bytes:
    plan, mints, at = design(market), _mints(market), address(market)
    config = config_address(market)
    span = layout.ARRAY_TICKS * plan.tick_spacing
    bitmap = sum(1 << (start // span + layout.MAP_ARRAYS) for start in starts)
    liquidity = sum(one.liquidity for one in ranges)  # all of them hold the price
    vaults = (layout.vault_address(at, mint) for mint in mints)
    return layout.POOL.pack(
        *(layout.POOL_DISCRIMINATOR, layout.pool_address(config, mints)[1]),
        *map(_key, (config, _ADMIN, *mints, *vaults, layout.observation_address(at))),
        *(asset.decimals for asset in _assets(market)),
        *(plan.tick_spacing, _u128(liquidity), _u128(root), ticks.tick_at(root)),
        *(0, 0, 0, 0),  # nothing owed, enabled, fee in what is paid
        *(bitmap.to_bytes(128, "little"), 0, 0, 0, 0),  # open since ever
        bytes(layout.DYNAMIC_FEE.size),
    )


def _config(plan: Design) -> bytes:
    return layout.CONFIG.pack(
        *(layout.CONFIG_DISCRIMINATOR, layout.config_address(plan.config)[1], plan.config),
        *(_key(_ADMIN), _PROTOCOL_SHARE, plan.fee, plan.tick_spacing, _FUND_SHARE, _key(_ADMIN)),
    )


def _array(pool: str, start: int, spacing: int, found: Mapping[int, tuple[int, int]]) -> bytes:
    head = layout.ARRAY_HEAD.pack(layout.ARRAY_DISCRIMINATOR, _key(pool), start)
    numbers = range(start, start + layout.ARRAY_TICKS * spacing, spacing)
    data = b"".join(_tick(number, found) for number in numbers)
    count = sum(number in found for number in numbers)
    return (head + data + bytes([count])).ljust(layout.ARRAY_BYTES, b"\0")


def _tick(number: int, found: Mapping[int, tuple[int, int]]) -> bytes:
    if number not in found:
        return bytes(layout.TICK.size)
    net, gross = found[number]
    return layout.TICK.pack(number, net.to_bytes(16, "little", signed=True), _u128(gross), 0, 0, 0)


def _extension(pool: str) -> bytes:
    return (layout.EXTENSION_DISCRIMINATOR + _key(pool)).ljust(layout.EXTENSION_BYTES, b"\0")


def _observation(pool: str) -> bytes:
    head = OBSERVATION_DISCRIMINATOR + bytes(11) + _key(pool)
    return head.ljust(OBSERVATION_BYTES, b"\0")


def _assets(market: Market) -> tuple[Asset, Asset]:
    """Return the market's assets in the program's order: by the bytes of their mints."""
    first, second = sorted((market.base, market.quote), key=lambda asset: _key(asset.mint))
    return first, second


def _mints(market: Market) -> tuple[str, str]:
    first, second = _assets(market)
    return first.mint, second.mint


def _is_first(asset: Asset, market: Market) -> bool:
    return _assets(market)[0] == asset


def _key(address_: str) -> bytes:
    return bytes(Pubkey.from_string(address_))


def _u128(number: int) -> bytes:
    return number.to_bytes(16, "little")
