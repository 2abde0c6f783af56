"""Many Raydium CPMM pools of one pair, as accounts: each the localnet's own with other vaults."""

import struct
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from solders.pubkey import Pubkey
from tests.unit.venues import ground

from quantdesk.core.markets import MARKETS
from quantdesk.localnet import raydium_pools
from quantdesk.localnet.accounts import GenesisAccount, token_account
from quantdesk.venues.raydium.cpmm import layout

SOL: Final = MARKETS["SOL-USDC"]
DISABLED: Final = (329, "<B", 0b100)
NOT_OPEN: Final = (373, "<Q", 1 << 40)
CORRUPT: Final = (389, "<B", 9)
"""A way to take creator fees that there is not."""

_VAULTS_AT: Final = 72


def address(number: int, part: int = 0) -> str:
    """Return the address of a pool (0) or of one of its vaults (1 and 2), in order of numbers."""
    return str(Pubkey.from_bytes(bytes([9, part, 0, number]) + bytes(28)))


def pool(number: int, usd: int, *spoils: tuple[int, str, int]) -> list[GenesisAccount]:
    """Return a pool that holds so much on each side, with other numbers in places, and its vaults.

    Its config is that of every pool, and must be there already.
    """
    made = raydium_pools.accounts(
        SOL, price=ground.price(SOL), depth_usd=Decimal(usd), usd=ground.USD
    )
    own = next(one for one in made if one.address == raydium_pools.address(SOL))
    data = bytearray(own.data)
    read = layout.pool(own.data)
    vaults = []
    for side, (vault, mint) in enumerate(zip(read.vaults, read.mints, strict=True), start=1):
        asset = SOL.base if mint == SOL.base.mint else SOL.quote
        held = next(one for one in made if one.address == vault)
        amount = int.from_bytes(held.data[64:72], "little")
        place = address(number, side)
        struct.pack_into(
            "32s", data, _VAULTS_AT + 32 * (side - 1), bytes(Pubkey.from_string(place))
        )
        vaults.append(token_account(place, asset=asset, owner=layout.AUTHORITY, amount=amount))
    for offset, form, value in spoils:
        struct.pack_into(form, data, offset, value)
    return [GenesisAccount(address(number), layout.PROGRAM, bytes(data)), *vaults]


def crowd(usd: Sequence[int]) -> list[GenesisAccount]:
    """Return pools of these sizes, numbered from 0, and their config."""
    made = raydium_pools.accounts(
        SOL, price=ground.price(SOL), depth_usd=Decimal(1), usd=ground.USD
    )
    config = next(one for one in made if one.address == layout.pool(made[0].data).config)
    return [config, *(account for at, size in enumerate(usd) for account in pool(at, size))]
