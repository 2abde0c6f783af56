"""Raydium CPMM pools for the localnet: one pool per market, with the liquidity it opens with.

The accounts stand at the real program's addresses in the real layout, under fee config 0 of mainnet
(0.25 %, of which 12 % go to the protocol and 4 % to the fund). All liquidity tokens are burned: the
localnet's liquidity stays.
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
from quantdesk.venues.raydium.cpmm import layout

_TRADE_FEE: Final = 2_500  # millionths
_PROTOCOL_SHARE: Final = 120_000
_FUND_SHARE: Final = 40_000
_CREATE_POOL_FEE: Final = 150_000_000  # lamports
_CONFIG_INDEX: Final = 0
_ADMIN: Final = "GThUX1Atko4tqhN2NaiTazWSeFWMuiUvfFnyJyUghFMJ"
_OBSERVATION_BYTES: Final = 4_075
_OBSERVATION_DISCRIMINATOR: Final = bytes.fromhex("7aaec5358109a584")
_LP_DECIMALS: Final = 9
_DIGITS: Final = 60

_PROGRAM: Final = Pubkey.from_string(layout.PROGRAM)


@dataclass(frozen=True, slots=True)
class _Side:
    """One token of a pool and how much of it the pool opens with, in base units."""

    asset: Asset
    mint: Pubkey
    vault: Pubkey
    amount: int


def program() -> tuple[str, Path]:
    """Return the id of the program and the file of our build of it."""
    return layout.PROGRAM, Path(__file__).parent / "programs" / "raydium_cpmm.so"


def address(market: Market) -> str:
    """Return the address of the market's pool."""
    return str(_pool_address(market))


def accounts(
    market: Market, *, price: Decimal, depth_usd: Decimal, usd: Mapping[str, Decimal]
) -> list[GenesisAccount]:
    """Return the pool, its config, vaults, liquidity mint and observation; the mints are not there.

    `price` is quote per base, `depth_usd` the worth of each side, `usd` the dollars per unit of
    both assets; where they disagree with `price`, the base side has the depth. All markets share
    one config, which is in every answer.
    """
    pool = _pool_address(market)
    sides = _sides(market, pool, price=price, base=depth_usd / usd[market.base.symbol])
    return [
        GenesisAccount(str(pool), layout.PROGRAM, _pool(pool, sides)),
        GenesisAccount(str(_derive(*_config_seeds())), layout.PROGRAM, _config()),
        *(_vault(side) for side in sides),
        GenesisAccount(str(_derive(b"pool_lp_mint", bytes(pool))), TOKEN_PROGRAM, _lp_mint()),
        GenesisAccount(str(_observation_address(pool)), layout.PROGRAM, _observation(pool)),
    ]


def _sides(market: Market, pool: Pubkey, *, price: Decimal, base: Decimal) -> tuple[_Side, ...]:
    """Return the pool's tokens in the program's order: by the bytes of their mints."""
    with localcontext(prec=_DIGITS):
        amounts = ((market.base, base), (market.quote, base * price))
        sides = []
        for asset, amount in amounts:
            mint = Pubkey.from_string(asset.mint)
            vault = _derive(b"pool_vault", bytes(pool), bytes(mint))
            sides.append(_Side(asset, mint, vault, int(amount.scaleb(asset.decimals))))
    return tuple(sorted(sides, key=lambda side: bytes(side.mint)))


def _pool(pool: Pubkey, sides: tuple[_Side, ...]) -> bytes:
    first, second = sides
    keys = (
        _derive(*_config_seeds()),
        Pubkey.from_string(_ADMIN),
        *(first.vault, second.vault),
        _derive(b"pool_lp_mint", bytes(pool)),
        *(first.mint, second.mint),
        *(Pubkey.from_string(side.asset.token_program) for side in sides),
        _observation_address(pool),
    )
    numbers = struct.pack(
        "<5B7Q",
        *(_authority_bump(), 0, _LP_DECIMALS, first.asset.decimals, second.asset.decimals),
        math.isqrt(first.amount * second.amount),
        *(0, 0, 0, 0, 0, 0),  # no fees owed, open since ever, epoch 0
    )
    head = layout.POOL_DISCRIMINATOR + b"".join(bytes(key) for key in keys) + numbers
    return head.ljust(layout.POOL_BYTES, b"\0")


def _config() -> bytes:
    _, bump = Pubkey.find_program_address(_config_seeds(), _PROGRAM)
    numbers = struct.pack(
        "<BBHQQQQ",
        *(bump, 0, _CONFIG_INDEX),
        *(_TRADE_FEE, _PROTOCOL_SHARE, _FUND_SHARE, _CREATE_POOL_FEE),
    )
    owner = bytes(Pubkey.from_string(_ADMIN))
    head = layout.CONFIG_DISCRIMINATOR + numbers + owner + owner
    return head.ljust(layout.CONFIG_BYTES, b"\0")


def _vault(side: _Side) -> GenesisAccount:
    return token_account(
        str(side.vault), asset=side.asset, owner=layout.AUTHORITY, amount=side.amount
    )


def _lp_mint() -> bytes:
    authority = b"\x01\0\0\0" + bytes(Pubkey.from_string(layout.AUTHORITY))
    burned = (0).to_bytes(8, "little")
    return authority + burned + bytes((_LP_DECIMALS, 1)) + bytes(36)


def _observation(pool: Pubkey) -> bytes:
    head = _OBSERVATION_DISCRIMINATOR + bytes(3) + bytes(pool)
    return head.ljust(_OBSERVATION_BYTES, b"\0")


def _pool_address(market: Market) -> Pubkey:
    mints = sorted(bytes(Pubkey.from_string(asset.mint)) for asset in (market.base, market.quote))
    return _derive(b"pool", bytes(_derive(*_config_seeds())), *mints)


def _observation_address(pool: Pubkey) -> Pubkey:
    return _derive(b"observation", bytes(pool))


def _config_seeds() -> list[bytes]:
    return [b"amm_config", _CONFIG_INDEX.to_bytes(2, "big")]


def _authority_bump() -> int:
    return Pubkey.find_program_address([b"vault_and_lp_mint_auth_seed"], _PROGRAM)[1]


def _derive(*seeds: bytes) -> Pubkey:
    return Pubkey.find_program_address(list(seeds), _PROGRAM)[0]
