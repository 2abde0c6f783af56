"""An AMM v4 account says what it says at the program's own offsets, or is refused."""

import struct
from typing import Final

import pytest
from msgspec.structs import replace
from solders.pubkey import Pubkey
from tests.oracles.raydium.amm_v4_accounts import NONCE, amm_account

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt
from quantdesk.venues.raydium.amm_v4 import layout
from quantdesk.venues.raydium.amm_v4.curve import FeeRate
from quantdesk.venues.raydium.amm_v4.layout import Status

_KEYS: Final = [Pubkey(bytes([n]) * 32) for n in range(1, 6)]
_POOL: Final = str(_KEYS[4])


def _state(data: bytes, owner: str = layout.PROGRAM) -> AccountState:
    return AccountState(address=_POOL, data=data, owner=owner, slot=7)


def _account() -> bytes:
    return amm_account(
        _KEYS[:2], _KEYS[2:4], status=7, fee=(30, 10_001), owed=(11, 12), open_time_s=1_700_000_000
    )


def _patched(offset: int, value: int) -> bytes:
    data = bytearray(_account())
    struct.pack_into("<Q", data, offset, value)
    return bytes(data)


def test_that_every_number_and_address_is_read_from_its_place() -> None:
    first, second, mint_0, mint_1 = map(str, _KEYS[:4])
    assert layout.amm(_state(_account())) == layout.AmmAccount(
        status=Status.WAITING_TRADE,
        decimals=(9, 6),
        fee=FeeRate(30, 10_001),
        owed=(11, 12),
        open_time_s=1_700_000_000,
        vaults=(first, second),
        mints=(mint_0, mint_1),
    )


@pytest.mark.parametrize(
    ("offset", "name"),
    [(176, "fee"), (184, "fee"), (192, "owed"), (200, "owed"), (224, "open_time_s")],
)
def test_that_the_programs_offsets_hold(offset: int, name: str) -> None:
    before, after = layout.amm(_state(_account())), layout.amm(_state(_patched(offset, 999_999)))
    changed = [
        field for field in before.__slots__ if getattr(before, field) != getattr(after, field)
    ]
    assert changed == [name]


def test_that_the_authority_is_the_one_known_of_the_program() -> None:
    assert layout.AUTHORITY == "5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1"
    seeds = [b"amm authority", bytes([NONCE])]
    program = Pubkey.from_string(layout.PROGRAM)
    assert str(Pubkey.create_program_address(seeds, program)) == layout.AUTHORITY


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "account.missing"),
        (_account()[:-1], "account.unreadable"),
        (_account() + b"\0", "account.unreadable"),
        (_patched(0, 0), "account.unreadable"),  # never initialized
        (_patched(0, 8), "account.unreadable"),  # a state the program does not have
        (_patched(8, 253), "account.unreadable"),  # another authority
        (amm_account(_KEYS[:2], [_KEYS[2]] * 2), "account.unreadable"),
        (amm_account([_KEYS[0]] * 2, _KEYS[2:4]), "account.unreadable"),
    ],
)
def test_that_no_pool_is_refused_by_name(data: bytes, code: str) -> None:
    with pytest.raises(Corrupt) as corrupt:
        layout.amm(_state(data))
    assert corrupt.value.code == code


def test_that_another_programs_account_is_foreign() -> None:
    with pytest.raises(Corrupt) as corrupt:
        layout.amm(replace(_state(_account()), owner=_POOL))
    assert corrupt.value.code == "account.foreign"
