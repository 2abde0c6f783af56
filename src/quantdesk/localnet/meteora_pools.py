"""Meteora DLMM pools for the localnet: one pair per market, with the liquidity it opens with.

The accounts stand at the real program's addresses in the real layout, so the venue and the program
read them as they would on mainnet. The base asset is token X. Liquidity reaches `reach_bps` to
either side of the opening price: twice as dense there as further out, because static liquidity must
still be worth trading against after the market has moved.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Final

from solders.pubkey import Pubkey

from quantdesk.core.assets import TOKEN_2022, Asset
from quantdesk.core.markets import Market
from quantdesk.core.money import BPS
from quantdesk.localnet.accounts import GenesisAccount, token_account
from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.meteora.dlmm.swap import price_of_bin

_OBSERVATIONS: Final = 100  # the length a real oracle starts with
_OBSERVATION_SIZE: Final = 32
_DEPTH_BPS: Final = 200  # `depth_usd` is what lies within this of the mid, on each side
_PEAK_BPS: Final = 100  # half of the extra density is gone this far from the mid
_BIN_ID_LIMIT: Final = 443_636  # where prices of 1 bps steps leave Q64.64
_DIGITS: Final = 60
_NO_KEY: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Design:
    """How a pair is set up; `reach_bps` is how far its liquidity extends to either side."""

    bin_step: int
    reach_bps: int
    base_factor: int
    filter_period_s: int
    decay_period_s: int
    variable_control: int
    accumulator_max: int
    reduction_bps: int = 5_000
    protocol_share_bps: int = 1_000


VOLATILE: Final = Design(
    bin_step=10,
    reach_bps=3_600,
    base_factor=10_000,
    filter_period_s=30,
    decay_period_s=600,
    variable_control=40_000,
    accumulator_max=350_000,
)
"""10 bps steps, 0.10 % base fee."""
STABLE: Final = Design(
    bin_step=1,
    reach_bps=330,
    base_factor=10_000,
    filter_period_s=10,
    decay_period_s=120,
    variable_control=2_000_000,
    accumulator_max=100_000,
)
"""1 bps steps, 0.01 % base fee."""

_DOLLARS: Final = frozenset({"USDC", "USDT", "PYUSD"})


@dataclass(frozen=True, slots=True)
class Liquidity:
    """What a new bin holds, in base units."""

    amount_x: int
    amount_y: int


def program() -> tuple[str, Path]:
    """Return the id of the program and the file of our build of it."""
    return layout.PROGRAM, Path(__file__).parent / "programs" / "meteora_dlmm.so"


def design(market: Market) -> Design:
    """Return how the pair of a market is set up."""
    return STABLE if {market.base.symbol, market.quote.symbol} <= _DOLLARS else VOLATILE


def address(market: Market) -> str:
    """Return the address of the market's pair."""
    return _address(market, design(market))[0]


def accounts(
    market: Market, *, price: Decimal, depth_usd: Decimal, usd: Mapping[str, Decimal]
) -> list[GenesisAccount]:
    """Return the pair, its reserves, oracle and bin arrays; the mints are not among them.

    `price` is quote per base, `depth_usd` what can be traded within 2 % of it on each side, `usd`
    the dollars per unit of both assets.
    """
    plan = design(market)
    active_id = bin_of_price(market, price, plan.bin_step)
    bins = dict(_bins(market, plan, active_id, depth_usd, usd))
    pair, bump = _address(market, plan)
    indexes = sorted({layout.array_index(bin_id) for bin_id in bins})
    return [
        GenesisAccount(
            pair, layout.PROGRAM, encode_pair(market, plan, active_id, indexes, bump=bump)
        ),
        _reserve(pair, market.base, sum(held.amount_x for held in bins.values())),
        _reserve(pair, market.quote, sum(held.amount_y for held in bins.values())),
        GenesisAccount(layout.oracle_address(pair), layout.PROGRAM, _oracle()),
        *(
            GenesisAccount(
                layout.bin_array_address(pair, index),
                layout.PROGRAM,
                encode_bin_array(pair, index, bins, plan.bin_step),
            )
            for index in indexes
        ),
    ]


def bin_of_price(market: Market, price: Decimal, bin_step: int) -> int:
    """Return the id of the bin nearest to a price in quote per base."""
    with localcontext(prec=_DIGITS):
        raw = price.scaleb(market.quote.decimals - market.base.decimals)
        return int((raw.ln() / (1 + Decimal(bin_step) / BPS).ln()).to_integral_value())


def encode_pair(
    market: Market, plan: Design, active_id: int, filled: list[int], *, bump: int
) -> bytes:
    """Return a fresh pair account whose bin arrays `filled` hold liquidity."""
    pair, _ = _address(market, plan)
    mint_x, mint_y = market.base.mint, market.quote.mint
    limit = _BIN_ID_LIMIT // plan.bin_step
    bitmap = sum(1 << (index + layout.BITMAP_HALF) for index in filled)
    step = plan.bin_step.to_bytes(2, "little")
    return layout.PAIR.pack(
        layout.PAIR_DISCRIMINATOR,
        *(plan.base_factor, plan.filter_period_s, plan.decay_period_s, plan.reduction_bps),
        *(plan.variable_control, plan.accumulator_max, -limit, limit, plan.protocol_share_bps),
        *(0, 1, 0),  # base fee power, liquidity mining (no limit orders), fee in what is paid
        *(0, 0, active_id, 0),  # never traded
        *(bump, step, 0, active_id, plan.bin_step),  # permissionless
        *(0, 1, plan.base_factor.to_bytes(2, "little"), 0, 0),  # enabled
        *(_key(mint_x), _key(mint_y)),
        *(_key(layout.reserve_address(pair, mint)) for mint in (mint_x, mint_y)),
        *(0, 0, _NO_KEY, _NO_KEY),  # nothing owed, no rewards
        *(_key(layout.oracle_address(pair)), bitmap.to_bytes(128, "little"), 0),
        *(_NO_KEY, _NO_KEY, 0, 0, _NO_KEY),
        *(asset.token_program == TOKEN_2022 for asset in (market.base, market.quote)),
        0,
    )


def encode_bin_array(pair: str, index: int, bins: Mapping[int, Liquidity], bin_step: int) -> bytes:
    """Return the bin array of an index; bins that hold nothing stay untouched."""
    first = index * layout.BINS_PER_ARRAY
    head = layout.BIN_ARRAY_HEAD.pack(layout.BIN_ARRAY_DISCRIMINATOR, index, 2, _key(pair))
    empty = bytes(layout.BIN.size)
    return head + b"".join(
        _bin(bins[bin_id], price_of_bin(bin_id, bin_step)) if bin_id in bins else empty
        for bin_id in range(first, first + layout.BINS_PER_ARRAY)
    )


def _bin(held: Liquidity, price: int) -> bytes:
    # A bin's liquidity is its worth in token Y, as Q64.64.
    liquidity = price * held.amount_x + (held.amount_y << 64)
    return layout.BIN.pack(
        *(held.amount_x, held.amount_y, _u128(price), _u128(liquidity)), *(0, 0, 0, 0, 0)
    )


def _bins(
    market: Market, plan: Design, active_id: int, depth_usd: Decimal, usd: Mapping[str, Decimal]
) -> Iterator[tuple[int, Liquidity]]:
    """Bids below the active bin, asks above it, half of either in it."""
    with localcontext(prec=_DIGITS):
        reach, depth = (span // plan.bin_step for span in (plan.reach_bps, _DEPTH_BPS))
        weights = [_weight(distance * plan.bin_step) for distance in range(reach + 1)]
        unit = depth_usd / (weights[0] / 2 + sum(weights[1 : depth + 1]))
        for distance in range(-reach, reach + 1):
            worth = unit * weights[abs(distance)] / (1 if distance else 2)
            bids = _raw(worth / usd[market.quote.symbol], market.quote) if distance <= 0 else 0
            asks = _raw(worth / usd[market.base.symbol], market.base) if distance >= 0 else 0
            yield active_id + distance, Liquidity(asks, bids)


def _weight(distance_bps: int) -> Decimal:
    return 1 + 1 / (1 + (Decimal(distance_bps) / _PEAK_BPS) ** 2)


def _raw(amount: Decimal, asset: Asset) -> int:
    return int(amount.scaleb(asset.decimals))


def _reserve(pair: str, asset: Asset, amount: int) -> GenesisAccount:
    at = layout.reserve_address(pair, asset.mint)
    return token_account(at, asset=asset, owner=pair, amount=amount)


def _oracle() -> bytes:
    head = layout.ORACLE_DISCRIMINATOR + b"".join(
        number.to_bytes(8, "little") for number in (0, 0, _OBSERVATIONS)
    )
    return head + bytes(_OBSERVATIONS * _OBSERVATION_SIZE)


def _address(market: Market, plan: Design) -> tuple[str, int]:
    return layout.pair_address(
        market.base.mint,
        market.quote.mint,
        bin_step=plan.bin_step,
        base_factor=plan.base_factor,
    )


def _key(address_: str) -> bytes:
    return bytes(Pubkey.from_string(address_))


def _u128(number: int) -> bytes:
    return number.to_bytes(16, "little")
