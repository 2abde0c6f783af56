"""A DLMM swap names the pair's accounts, the bin arrays it may cross, and the bound."""

from collections.abc import Sequence

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
    ahead = (-23, -24) if sells else (-23, -22)
    behind = -22 if sells else -24
    assert addresses[16:] == [world.array(index) for index in (*ahead, behind)]
    assert all(meta.is_writable for meta in made.accounts[16:])


def _bins(arrays: Sequence[int]) -> tuple[int, int]:
    """Return what of SOL, and of USDC, stands in these arrays."""
    held = [layout.decode_bin_array(ACCOUNTS[world.array(index)].data).bins for index in arrays]
    every = [bin_ for bins in held for bin_ in bins]
    return sum(bin_.amount_x for bin_ in every), sum(bin_.amount_y for bin_ in every)


def _arrays(*, paid: str, exact_in: bool, amount: int) -> list[str]:
    owner, paid_from, received_in = _OWNER, _PURSE, _OTHER
    swap = Swap(paid, exact_in, amount, _LIMIT, owner, paid_from, received_in)
    made = world.pool(world.ready()).instruction(swap)
    return [meta.address for meta in made.accounts[16:]]


@pytest.mark.parametrize("crossed", [1, 2, 3, 4])
@pytest.mark.parametrize("sells", [True, False])
def test_names_the_arrays_it_crosses_and_one_more_each_way(*, sells: bool, crossed: int) -> None:
    ahead = (-23, -24, -25, -26) if sells else (-23, -22, -21, -20)
    paid = SOL.base.mint if sells else SOL.quote.mint
    bought = _bins(ahead[:crossed])[1 if sells else 0]
    named = [world.array(at) for at in (*ahead[: crossed + 1], -22 if sells else -24)]

    assert _arrays(paid=paid, exact_in=False, amount=bought) == named
    cost = world.pool(world.ready()).exact_out(paid, bought).paid
    assert _arrays(paid=paid, exact_in=True, amount=cost) == named
    if crossed < len(ahead) - 1:
        assert _arrays(paid=paid, exact_in=True, amount=cost * 1001 // 1000) != named


def test_names_all_there_are_for_what_no_longer_fills() -> None:
    everything = _bins(range(-26, -19))[1]

    assert len(_arrays(paid=SOL.base.mint, exact_in=False, amount=everything + 1)) == 5
