"""A DLMM swap names the pair's accounts, the bin arrays it may cross, and the bound."""

import pytest
from solders.pubkey import Pubkey
from tests.unit.venues.meteora.dlmm import world
from tests.unit.venues.meteora.dlmm.world import ACCOUNTS, PAIR, SOL

from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.port import Swap

_OWNER, _PURSE, _OTHER = (str(Pubkey.from_bytes(bytes([byte]) * 32)) for byte in (11, 12, 13))
_LIMIT, _AMOUNT = 199_000_000, 10**9


@pytest.mark.parametrize("sells", [True, False])
@pytest.mark.parametrize(
    ("exact_in", "discriminator", "amounts"),
    [
        (True, "414b3f4ceb5b5b88", (_AMOUNT, _LIMIT)),
        (False, "2bd7f784893cf351", (_LIMIT, _AMOUNT)),
    ],
)
def test_builds_the_swap(
    *, sells: bool, exact_in: bool, discriminator: str, amounts: tuple[int, int]
) -> None:
    paid = SOL.base.mint if sells else SOL.quote.mint

    made = world.pool(world.ready()).instruction(
        Swap(
            paid=paid,
            exact_in=exact_in,
            amount=_AMOUNT,
            limit=_LIMIT,
            owner=_OWNER,
            paid_from=_PURSE,
            received_in=_OTHER,
        )
    )

    pair = layout.decode_pair(ACCOUNTS[PAIR].data)
    first, second = (amount.to_bytes(8, "little") for amount in amounts)
    assert made.program == layout.PROGRAM
    assert made.data == bytes.fromhex(discriminator) + first + second + bytes(4)
    addresses = [meta.address for meta in made.accounts]
    assert addresses[:10] == [
        *(PAIR, layout.PROGRAM, pair.reserve_x, pair.reserve_y, _PURSE, _OTHER),
        *(pair.mint_x, pair.mint_y, pair.oracle, layout.PROGRAM),
    ]
    assert [meta.address for meta in made.accounts if meta.is_signer] == [_OWNER]
    ahead = (-23, -24, -25, -26) if sells else (-23, -22, -21, -20)
    behind = -22 if sells else -24
    assert addresses[16:] == [world.array(index) for index in (*ahead, behind)]
    assert all(meta.is_writable for meta in made.accounts[16:])
