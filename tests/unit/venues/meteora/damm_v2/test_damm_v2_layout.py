"""The pool account of DAMM v2 is read as the program writes it, or refused."""

import pytest
from tests.oracles.meteora_damm import pools
from tests.oracles.meteora_damm.pools import Numbers

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt
from quantdesk.venues.meteora.damm_v2 import layout
from quantdesk.venues.meteora.damm_v2.layout import PriceSchedule, RateLimiter, TimeSchedule
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM

_MADE = pools.pool(Numbers(seed=1, dynamic=(14_460_000, 956, 200_000), below_bps=500))
_DATA = layout.encode_pool(_MADE)


@pytest.mark.parametrize(
    "numbers",
    [
        Numbers(seed=1, dynamic=(14_460_000, 956, 200_000)),
        Numbers(seed=2, fee=("time", 5, True, 6, 7, 8), by_slot=True, layout_version=0),
        Numbers(seed=3, fee=("price", 5, False, 6, 7, 8, 9), fee_mode=1, fee_version=0),
        Numbers(seed=4, fee=("price", 5, True, 6, 7, 8, 9), fee_mode=2, compounding_bps=77),
        Numbers(seed=5, fee=("limiter", 5, 6, 7, 8, 9), fee_mode=1, protocol_percent=1),
    ],
    ids=lambda numbers: numbers.fee[0],
)
def test_that_a_pool_is_read_as_it_was_written(numbers: Numbers) -> None:
    made = pools.pool(numbers)

    data = layout.encode_pool(made)

    assert len(data) == 1_112
    assert layout.decode_pool(data) == made


def test_that_every_number_stands_where_the_program_has_it() -> None:
    # Offsets in the account: 8 for the discriminator, then those of the program's structures.
    def number(offset: int, size: int) -> int:
        return int.from_bytes(_DATA[offset : offset + size], "little")

    assert number(8, 8) == 2_500_000
    assert (number(48, 1), number(50, 1)) == (20, 20)
    assert (number(56, 1), number(64, 4), number(68, 4)) == (1, 14_460_000, 956)
    assert (number(72, 2), number(74, 2), number(76, 2), number(78, 2)) == (1, 10, 120, 5_000)
    assert (number(88, 16), number(120, 16)) == (1_844_674_407_370_955, 200_000)
    assert _DATA[168:200] == bytes([1]) * 32
    assert _DATA[200:232] == bytes([2]) * 32
    assert number(360, 16) == _MADE.liquidity
    assert number(424, 16) == _MADE.sqrt_min
    assert number(440, 16) == _MADE.sqrt_max
    assert number(456, 16) == _MADE.sqrt_price
    assert (number(472, 8), number(480, 1), number(481, 1)) == (pools.OPENED, 1, 0)
    assert (number(680, 8), number(688, 8), number(696, 1)) == (*_MADE.reserves, 1)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (0, TimeSchedule),
        (1, TimeSchedule),
        (2, RateLimiter),
        (3, PriceSchedule),
        (4, PriceSchedule),
        (5, type(None)),
    ],
)
def test_that_the_mode_says_what_the_base_fee_is(mode: int, kind: type) -> None:
    pool = layout.decode_pool(_DATA[:16] + bytes([mode]) + _DATA[17:])

    assert isinstance(pool.base_fee, kind)
    assert getattr(pool.base_fee, "exponential", False) == (mode in {1, 4})


def test_that_token_flags_name_the_programs() -> None:
    flagged = layout.decode_pool(_DATA[:482] + b"\0\1" + _DATA[484:])

    assert flagged.token_programs == (TOKEN_PROGRAM, TOKEN_2022)
    assert _MADE.token_programs == (TOKEN_PROGRAM, TOKEN_PROGRAM)


@pytest.mark.parametrize("size", [1, 7, 8, 165, 1_111, 1_113])
def test_that_an_account_of_another_size_is_unreadable(size: int) -> None:
    state = AccountState(pools.ADDRESS, (_DATA + b"\0")[:size], layout.PROGRAM, 1)

    with pytest.raises(Corrupt) as corrupt:
        layout.read_pool(state)

    assert corrupt.value.code == "account.unreadable"
    with pytest.raises(Corrupt):
        layout.decode_pool(state.data)


def test_that_another_kind_of_account_is_unreadable() -> None:
    config = bytes((155, 12, 170, 224, 30, 250, 204, 130)) + _DATA[8:]

    with pytest.raises(Corrupt) as corrupt:
        layout.read_pool(AccountState(pools.ADDRESS, config, layout.PROGRAM, 1))

    assert corrupt.value.code == "account.unreadable"
    with pytest.raises(Corrupt):
        layout.decode_pool(config)


@pytest.mark.parametrize(
    ("data", "owner", "code"),
    [(_DATA, TOKEN_PROGRAM, "account.foreign"), (b"", "", "account.missing")],
)
def test_that_a_foreign_or_missing_account_is_no_pool(data: bytes, owner: str, code: str) -> None:
    with pytest.raises(Corrupt) as corrupt:
        layout.read_pool(AccountState(pools.ADDRESS, data, owner, 1))

    assert corrupt.value.code == code


@pytest.mark.parametrize("price", [0, _MADE.sqrt_min - 1, _MADE.sqrt_max + 1])
def test_that_a_price_outside_its_range_is_unreadable(price: int) -> None:
    spoiled = _DATA[:456] + price.to_bytes(16, "little") + _DATA[472:]

    with pytest.raises(Corrupt) as corrupt:
        layout.decode_pool(spoiled)

    assert corrupt.value.code == "account.unreadable"


def test_that_the_addresses_are_those_of_mainnet() -> None:
    pool = "CGPxT5d1uf9a8cKVJuZaJAU76t2EfLGbTmRbfvLLZp5j"
    sol = "So11111111111111111111111111111111111111112"
    usdc = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"

    assert layout.AUTHORITY == "HLnpSz9h2S4hiLQ43rnSD9XkcUThA7B8hQMKmDaiTLcC"
    assert layout.vault_address(pool, sol) == "E3r3rs6C9bZbokaPiMEwmvPUtcd6CE2nuK8RSMQdE64E"
    assert layout.vault_address(pool, usdc) == "HK2HggD4Eg1tAyr3gnRvNG32Z8v7s1NQGjH77b14qvsx"
    assert layout.custom_pool_address(sol, usdc) == layout.custom_pool_address(usdc, sol)
