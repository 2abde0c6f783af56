"""What our DAMM v2 refuses: other accounts, pools it does not serve, data that is not right.

Codes are the real program's; what it serves and this one does not is refused with one of its own.
"""

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from msgspec.structs import replace as with_
from solders.pubkey import Pubkey
from tests.programs.damm_world import (
    ADDRESS,
    MINTS,
    NOW_S,
    Outcome,
    World,
    opened,
    token_account,
    with_account,
)

from quantdesk.chains.port import AccountMeta, Instruction
from quantdesk.venues.meteora.damm_v2.instructions import swap_exact_in
from quantdesk.venues.meteora.damm_v2.layout import (
    PROGRAM,
    DynamicFee,
    Pool,
    RateLimiter,
    TimeSchedule,
)
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM

_X64: Final = 1 << 64
_PLAIN: Final = opened(10**13 << 64, _X64, _X64 // 2, _X64 * 2)
_PANIC: Final = "ProgramFailedToComplete"
_STRANGER: Final = Pubkey(bytes([9]) * 32)
_SYSTEM: Final = "1" * 32

(_AUTHORITY, _POOL, _PAID_FROM, _RECEIVED_IN, _VAULT_A, _VAULT_B, _MINT_A, _MINT_B,
 _PAYER, _PROGRAM_A, _PROGRAM_B, _REFERRAL, _EVENTS, _SELF) = range(14)  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> World:
    return World()


@pytest.fixture
def world(shared: World) -> World:
    shared.open(_PLAIN)
    return shared


def _call(world: World) -> Instruction:
    return swap_exact_in(world.trade(0), 10**6, 0)


def _refused(world: World, call: Instruction) -> int | str | None:
    before = world.books()
    error = world.send(call).error
    assert error is None or world.books() == before
    return error


def _without_rights(call: Instruction, index: int) -> Instruction:
    metas = list(call.accounts)
    metas[index] = AccountMeta(metas[index].address, is_signer=False, is_writable=False)
    return with_(call, accounts=tuple(metas))


@pytest.mark.parametrize(
    ("index", "code"),
    [
        (_AUTHORITY, 2012),
        (_POOL, 3007),
        (_PAID_FROM, 3012),
        (_RECEIVED_IN, 3012),
        (_VAULT_A, 2001),
        (_VAULT_B, 2001),
        (_MINT_A, 2014),
        (_MINT_B, 2014),
        (_PROGRAM_A, 2021),
        (_PROGRAM_B, 2021),
        (_EVENTS, 2006),
    ],
)
def test_that_an_account_that_is_another_is_refused(world: World, index: int, code: int) -> None:
    assert _refused(world, with_account(_call(world), index, _STRANGER)) == code


@pytest.mark.parametrize(("index", "code"), [(_REFERRAL, 6051), (_SELF, 3008)])
def test_that_no_referral_and_no_other_program_is_taken(
    world: World, index: int, code: int
) -> None:
    assert _refused(world, with_account(_call(world), index, _STRANGER)) == code


@pytest.mark.parametrize("index", [_POOL, _PAID_FROM, _RECEIVED_IN, _VAULT_A, _VAULT_B])
def test_that_an_account_it_may_not_write_is_refused(world: World, index: int) -> None:
    assert _refused(world, _without_rights(_call(world), index)) == 3006


def test_that_a_payer_who_did_not_sign_is_refused(world: World) -> None:
    stolen = with_account(_call(world), _PAYER, _STRANGER)
    assert _refused(world, _without_rights(stolen, _PAYER)) == 3010


@pytest.mark.parametrize("index", range(14))
def test_that_a_missing_account_is_refused(world: World, index: int) -> None:
    call = _call(world)
    fewer = call.accounts[:index] + call.accounts[index + 1 :]
    assert _refused(world, with_(call, accounts=fewer)) == 3005


@pytest.mark.parametrize(
    ("owner", "data", "code"),
    [
        (TOKEN_PROGRAM, None, 3007),
        (_SYSTEM, None, 3007),
        (PROGRAM, b"", 3001),
        (PROGRAM, b"\xf1\x9a\x6d\x04\x11\xb1\x6d", 3001),
        (PROGRAM, bytes(1112), 3002),
    ],
)
def test_that_what_is_no_pool_is_refused(
    world: World, owner: str, data: bytes | None, code: int
) -> None:
    call = _call(world)
    world.put(ADDRESS, world.data(ADDRESS) if data is None else data, owner)
    assert world.send_only(call) == code


def test_that_a_pool_cut_short_is_refused(world: World) -> None:
    call = _call(world)
    world.put(ADDRESS, world.data(ADDRESS)[:-1], PROGRAM)
    assert world.send_only(call) is not None


@pytest.mark.parametrize("place", ["purses", "vaults"])
@pytest.mark.parametrize("token", [0, 1])
def test_that_tokens_of_another_program_are_refused(world: World, place: str, token: int) -> None:
    call = _call(world)
    address = getattr(world, place)[token]
    # A purse of the other token program is refused by the runtime, in the call that would write it.
    other = "ExternalAccountDataModified" if place == "purses" else 2021
    for owner, code in ((TOKEN_2022, other), (PROGRAM, 3007)):
        world.put(address, world.data(address), owner)
        assert world.send_only(call) == code


@pytest.mark.parametrize("mint", MINTS)
def test_that_a_mint_of_another_program_is_refused(world: World, mint: Pubkey) -> None:
    data = world.data(mint)
    world.put(mint, data, PROGRAM)
    code = world.send_only(_call(world))
    world.put(mint, data, TOKEN_PROGRAM)
    assert code == 3007


def test_that_tokens_of_another_owner_or_mint_do_not_move(world: World) -> None:
    call = with_account(_call(world), _PAID_FROM, _STRANGER)
    world.put(_STRANGER, token_account(MINTS[0], ADDRESS, 10**9), TOKEN_PROGRAM)
    assert _refused(world, call) == 4  # the token program's: not the owner
    world.put(_STRANGER, token_account(ADDRESS, world.trader.pubkey(), 10**9), TOKEN_PROGRAM)
    assert _refused(world, call) == 3  # its own too: another mint
    assert _refused(world, with_account(_call(world), _RECEIVED_IN, _STRANGER)) == 3
    assert _refused(world, with_account(_call(world), _RECEIVED_IN, world.purses[0])) == 3
    world.fund(10**6 - 1, 0)
    assert _refused(world, _call(world)) == 1  # its own again: too little


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda pool: replace(pool, enabled=False), 6003),
        (lambda pool: replace(pool, activation_point=NOW_S + 1), 6003),
        (lambda pool: replace(pool, activation_point=NOW_S), None),
        (lambda pool: replace(pool, activation_type=2), 6010),
        (lambda pool: replace(pool, fee_mode=2), 6017),
        (lambda pool: replace(pool, fee_mode=3), 6007),
        (lambda pool: replace(pool, compounding_bps=1), 6067),
        (lambda pool: replace(pool, protocol_percent=101), 6000),
        (lambda pool: replace(pool, fee_version=2), 6052),
        (lambda pool: replace(pool, layout_version=2), 6007),
        (lambda pool: replace(pool, base_fee=RateLimiter(10**7)), 6047),
        (
            lambda pool: replace(pool, base_fee=TimeSchedule(10, periods=9, period=1, reduction=9)),
            None,
        ),
        (lambda pool: replace(pool, liquidity=0), _PANIC),
        (lambda pool: replace(pool, reserves=(pool.reserves[0], 10**5)), 6000),
        (lambda pool: replace(pool, reserves=((1 << 64) - 5, 10**9)), 6000),
        (lambda pool: replace(pool, protocol_owed=(0, (1 << 64) - 5)), 6000),
        (lambda pool: replace(pool, dynamic_fee=DynamicFee(9, 9, bin_step_x64=0)), 6000),
    ],
)
def test_that_a_pool_that_cannot_trade_says_why(
    world: World, change: Callable[[Pool], Pool], code: int | str | None
) -> None:
    world.open(change(_PLAIN))
    assert _refused(world, _call(world)) == code


@pytest.mark.parametrize("mode", [2, 3, 4, 5])
def test_that_a_base_fee_it_cannot_compute_is_refused(world: World, mode: int) -> None:
    world.patch(ADDRESS, 16, "<B", mode)
    assert world.send_only(_call(world)) == 6047


@pytest.mark.parametrize(("points", "passed"), [(1, 2), (0, 9)])
@pytest.mark.parametrize(("exponential", "off"), [(False, 6 * 10**8), (True, 10_001)])
def test_that_a_fee_below_nothing_is_refused(
    world: World, points: int, passed: int, off: int, *, exponential: bool
) -> None:
    fee = TimeSchedule(10**8, exponential, periods=5, period=points, reduction=off)
    world.open(replace(_PLAIN, base_fee=fee), now_s=NOW_S + passed)
    assert _refused(world, _call(world)) == (6000 if points else None)


def test_that_the_whitelisted_vault_buys_an_hour_earlier(world: World) -> None:
    world.open(replace(_PLAIN, activation_point=NOW_S + 3600))
    assert world.sell(10**6).error == 6003
    key = bytes(world.trader.pubkey())
    world.patch(ADDRESS, 296, "<4Q", *struct.unpack("<4Q", key))
    assert world.sell(10**6).error is None
    world.at(NOW_S - 1)
    assert world.sell(10**6).error == 6003


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: b"", 101),
        (lambda data: bytes(8) + data[8:], 101),
        (lambda data: data[:24], 102),
        (lambda data: data[:8], 102),
        (lambda data: data + b"\0", None),
        (lambda data: data[:24] + b"\x03", 6018),
        (lambda data: data[:8] + bytes(16) + b"\0", 6006),
    ],
)
def test_that_it_reads_its_instruction_as_the_real_one_does(
    world: World, change: Callable[[bytes], bytes], code: int | None
) -> None:
    call = _call(world)
    assert _refused(world, with_(call, data=change(call.data))) == code


def test_that_the_older_instruction_is_exact_in(world: World) -> None:
    newer = world.sell(10**6)
    world.open(_PLAIN)
    data = bytes.fromhex("f8c69e91e17587c8") + struct.pack("<2Q", 10**6, newer.received)
    older = world.send(with_(_call(world), data=data))
    assert older == Outcome(None, newer.paid, newer.received, older.units, older.events)
    over = data[:16] + struct.pack("<Q", newer.received + 1)
    assert _refused(world, with_(_call(world), data=over)) == 6002
    assert _refused(world, with_(_call(world), data=data[:-1])) == 102


def test_that_nobody_else_sends_its_events(world: World) -> None:
    event = bytes.fromhex("e445a52e51cb9a1d") + bytes(8)
    other = AccountMeta(str(_STRANGER), is_signer=False, is_writable=False)
    payer = AccountMeta(str(world.trader.pubkey()), is_signer=True, is_writable=False)
    assert _refused(world, Instruction(PROGRAM, (other,), event)) == 2002
    assert _refused(world, Instruction(PROGRAM, (payer,), event)) == 2006
