"""The swap of DAMM v2 names the accounts the program takes, in its order."""

import struct
from dataclasses import replace

import pytest
from tests.oracles.meteora_damm import pools
from tests.oracles.meteora_damm.pools import ADDRESS, MINT_A, MINT_B, OPENED, VAULTS, Numbers

from quantdesk.chains.port import Instruction
from quantdesk.venues.meteora.damm_v2 import layout
from quantdesk.venues.port import Swap
from quantdesk.venues.reading import TOKEN_PROGRAM

_OWNER, _FROM, _TO = (
    "HLnpSz9h2S4hiLQ43rnSD9XkcUThA7B8hQMKmDaiTLcC",
    "E3r3rs6C9bZbokaPiMEwmvPUtcd6CE2nuK8RSMQdE64E",
    "HK2HggD4Eg1tAyr3gnRvNG32Z8v7s1NQGjH77b14qvsx",
)
_MADE = pools.pool(Numbers(seed=1))
_LIMITER = layout.RateLimiter(10_000_000, 10, 60, 5_000, 1_000)


def _call(made: layout.Pool = _MADE, *, exact_in: bool = True, later: int = 0) -> Instruction:
    swap = Swap(
        paid=MINT_B,
        exact_in=exact_in,
        amount=500,
        limit=400,
        owner=_OWNER,
        paid_from=_FROM,
        received_in=_TO,
    )
    return pools.snapshot(made, later=later).instruction(swap)


@pytest.mark.parametrize(("exact_in", "mode"), [(True, 0), (False, 2)])
def test_that_the_arguments_are_amount_limit_and_mode(*, exact_in: bool, mode: int) -> None:
    call = _call(exact_in=exact_in)

    discriminator = bytes((65, 75, 63, 76, 235, 91, 91, 136))
    assert call.program == layout.PROGRAM
    assert call.data == discriminator + struct.pack("<QQB", 500, 400, mode)


def test_that_the_accounts_are_in_the_program_s_order() -> None:
    metas = _call().accounts

    assert [meta.address for meta in metas] == [
        layout.AUTHORITY,
        ADDRESS,
        _FROM,
        _TO,
        *VAULTS,
        MINT_A,
        MINT_B,
        _OWNER,
        TOKEN_PROGRAM,
        TOKEN_PROGRAM,
        layout.PROGRAM,
        layout.EVENT_AUTHORITY,
        layout.PROGRAM,
    ]
    assert [place for place, meta in enumerate(metas) if meta.is_writable] == [1, 2, 3, 4, 5]
    assert [place for place, meta in enumerate(metas) if meta.is_signer] == [8]


@pytest.mark.parametrize("later", [0, 60, 61, 10_000])
def test_that_a_limiter_is_shown_the_other_instructions(later: int) -> None:
    made = replace(_MADE, base_fee=_LIMITER, fee_mode=layout.FEE_IN_B)

    *named, last = _call(made, later=later).accounts

    assert len(named) == 14
    assert last.address == "Sysvar1nstructions1111111111111111111111111"
    assert not last.is_writable


def test_that_a_limiter_of_nothing_needs_no_more_accounts() -> None:
    made = replace(_MADE, base_fee=layout.RateLimiter(10_000_000), fee_mode=layout.FEE_IN_B)

    assert len(_call(made).accounts) == 14
    assert made.activation_point == OPENED
