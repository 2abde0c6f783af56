"""Our Raydium CLMM refuses what the real program refuses, in its order and with its codes.

Where it serves less than the real one, it refuses too; nothing moves when it does. What it refuses
the desk tells the trader in words.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from msgspec.structs import replace as with_
from tests.oracles.raydium import clmm_pools as pools
from tests.programs.clmm_world import (
    ADDRESS,
    MINTS,
    NOW_S,
    OBSERVATION,
    PRICE_LIMIT,
    PURSE,
    PURSES,
    World,
    bounded,
    with_account,
)

from quantdesk.chains.port import AccountMeta, Instruction
from quantdesk.chains.solana.failures import failure
from quantdesk.core.assets import TOKEN_2022, TOKEN_PROGRAM
from quantdesk.venues.raydium.clmm import layout, ticks

_PLAIN: Final = pools.of_positions([(-300, 600, 10**15), (-90, 180, 10**13)])
_SPAN: Final = layout.ARRAY_TICKS * _PLAIN.spacing
_ALONE: Final = 13
"""Where the accounts behind the named ones begin: with the extension, where there is one."""
_STRANGER: Final = pools.key(77)
_SYSTEM: Final = "11111111111111111111111111111111"
_PAYER, _CONFIG, _POOL, _PAID_FROM, _RECEIVED_IN, _VAULT_IN, _VAULT_OUT, _OBSERVATION = range(8)
_TOKEN, _TOKEN_2022, _MEMO, _MINT_IN, _MINT_OUT = range(8, 13)
_REWARD_MINT: Final = slice(397 + 57, 397 + 89)
_AMOUNT: Final = 10**9
_PANIC: Final = "ProgramFailedToComplete"


@pytest.fixture(scope="module")
def shared() -> World:
    return World()


@pytest.fixture
def world(shared: World) -> World:
    shared.open(_PLAIN)
    return shared


def _refused(world: World, call: Instruction, paid: int = 0) -> int | str | None:
    """Return the error of a call, and hold it to having changed nothing."""
    watched = (ADDRESS, OBSERVATION, *PURSES, *pools.VAULTS)
    before = [world.data(address) for address in watched]
    error = world.send(call, paid).error
    assert (error is None) or [world.data(address) for address in watched] == before
    return error


def _call(world: World, amount: int = _AMOUNT, *, paid: int = 0) -> Instruction:
    return world.call(amount, paid=paid)


def _array(start: int) -> str:
    return layout.tick_array_address(ADDRESS, start)


def _code(world: World, call: Instruction) -> str:
    """Return what the desk calls the refusal of a call."""
    done = world.send(call)
    problem = {"InstructionError": [1, {"Custom": done.error}]}
    return failure(problem, logs=done.logs, called=["", layout.PROGRAM]).code


def test_that_too_little_or_too_much_is_slippage(world: World) -> None:
    received = world.sell(_AMOUNT).received
    world.open(_PLAIN)
    assert _refused(world, world.call(_AMOUNT, limit=received + 1)) == 6018
    assert _code(world, world.call(_AMOUNT, limit=received + 1)) == "slippage.exceeded"
    assert world.sell(_AMOUNT, received).error is None
    world.open(_PLAIN)
    paid = world.buy(_AMOUNT).paid
    world.open(_PLAIN)
    assert _refused(world, world.call(_AMOUNT, exact_in=False, limit=paid - 1)) == 6019
    assert _code(world, world.call(_AMOUNT, exact_in=False, limit=paid - 1)) == "slippage.exceeded"
    assert world.buy(_AMOUNT, paid).error is None


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        (lambda pool: replace(pool, status=1 << 4), 6000, "pool.gone"),
        (lambda pool: replace(pool, status=0xFF - (1 << 4)), None, ""),
        (lambda pool: replace(pool, open_time_s=NOW_S), 2505, "pool.gone"),
        (lambda pool: replace(pool, open_time_s=NOW_S - 1), None, ""),
        (lambda pool: replace(pool, ticks={}), 6036, "pool.moved"),
        (lambda pool: replace(pool, spacing=1, ticks={}), 6035, "pool.moved"),
        (lambda pool: replace(pool, rates=(1_000_000, 0, 0)), _PANIC, ""),
        (lambda pool: replace(pool, rates=(999_999, 10**6, 1)), 6038, "pool.moved"),
        (
            lambda pool: replace(pool, dynamic=(9, 9, 9, 9, 1 << 31, 0, 1 << 31, 0, NOW_S)),
            _PANIC,
            "",
        ),
    ],
)
def test_that_a_pool_that_cannot_trade_says_why(
    world: World, change: Callable[[pools.Numbers], pools.Numbers], code: int | str, word: str
) -> None:
    call = _call(world)
    world.open(change(_PLAIN))
    assert _refused(world, call) == code
    if word:
        assert _code(world, call) == word


def test_that_a_pool_with_a_reward_is_refused(world: World) -> None:
    call = _call(world)
    world.patch(ADDRESS, _REWARD_MINT.start + 2 * 169, b"\1")
    assert _refused(world, call) == 6025


def test_that_orders_of_more_than_there_can_be_are_refused(world: World) -> None:
    world.open(pools.of_positions([(-300, 600, 10**15)], orders={-2: (1 << 64) - 1}))
    call = world.call(10**13)
    start = -_SPAN
    place = layout.ARRAY_HEAD.size + (-120 - start) // 60 * layout.TICK.size
    world.patch(_array(start), place + 132, (1).to_bytes(8, "little"))
    assert _refused(world, call) == 6038


def test_that_what_trades_for_nothing_is_too_small(world: World) -> None:
    assert _refused(world, _call(world, 1)) == 6022
    assert _code(world, _call(world, 1)) == "amount.too_small"
    none = bytes(8)
    for data in (_call(world).data, world.call(_AMOUNT, exact_in=False).data):
        assert _refused(world, with_(_call(world), data=data[:8] + none + data[16:])) == 6020


def test_that_more_than_there_is_is_not_filled_in_part(world: World) -> None:
    call = world.call(1 << 62)
    assert _refused(world, call) == 6016
    assert _code(world, call) == "pool.moved"
    assert _refused(world, world.call(1 << 62, exact_in=False)) == 6016


def test_that_the_end_of_all_prices_is_not_filled_in_part(world: World) -> None:
    lowest = -ticks.TICK_MAX // 4
    world.open(pools.of_positions([(lowest, -2 * lowest, 10)], spacing=4))
    assert _refused(world, world.call(1 << 50)) == 2501


@pytest.mark.parametrize(
    ("paid", "root", "code"),
    [
        (0, 4_295_048_016, 6011),
        (0, _PLAIN.sqrt_price, 6011),
        (0, _PLAIN.sqrt_price + 1, 6011),
        (0, _PLAIN.sqrt_price - (1 << 40), None),
        (1, 79_226_673_521_066_979_257_578_248_091, 6011),
        (1, _PLAIN.sqrt_price, 6011),
        (1, _PLAIN.sqrt_price - 1, 6011),
        (1, ticks.sqrt_price_at(5), None),
    ],
)
def test_that_a_limit_of_the_price_lies_ahead(
    world: World, paid: int, root: int, code: int | None
) -> None:
    assert _refused(world, bounded(_call(world, 10**15, paid=paid), root), paid) == code


@pytest.mark.parametrize(
    ("index", "address", "code"),
    [
        (_CONFIG, ADDRESS, 3002),
        (_CONFIG, _STRANGER, 3007),
        (_POOL, pools.CONFIG, 3002),
        (_PAID_FROM, MINTS[0], 3003),
        (_RECEIVED_IN, _STRANGER, 3007),
        (_VAULT_IN, pools.VAULTS[1], 2012),  # whose mint is the other
        (_VAULT_OUT, PURSES[1], 6021),
        (_VAULT_IN, PURSES[0], 6021),
        (_OBSERVATION, ADDRESS, 3002),
        (_TOKEN, TOKEN_2022, 3008),
        (_TOKEN_2022, TOKEN_PROGRAM, 3008),
        (_MEMO, TOKEN_PROGRAM, 3008),
        (_MINT_IN, MINTS[1], 2012),
        (_MINT_OUT, MINTS[0], 2012),
        (_MINT_OUT, PURSES[0], 3003),
    ],
)
def test_that_another_account_is_refused(world: World, index: int, address: str, code: int) -> None:
    assert _refused(world, with_account(_call(world), index, address)) == code


def test_that_another_pools_config_or_record_is_refused(world: World) -> None:
    world.put(_STRANGER, world.data(pools.CONFIG), layout.PROGRAM)
    assert _refused(world, with_account(_call(world), _CONFIG, _STRANGER)) == 2012
    world.put(_STRANGER, world.data(OBSERVATION), layout.PROGRAM)
    assert _refused(world, with_account(_call(world), _OBSERVATION, _STRANGER)) == 2012
    world.patch(OBSERVATION, 19, b"\0")
    assert _refused(world, _call(world)) == 2502


@pytest.mark.parametrize("index", [_POOL, _PAID_FROM, _RECEIVED_IN, _VAULT_IN, _OBSERVATION])
def test_that_what_a_swap_writes_must_be_writable(world: World, index: int) -> None:
    call = _call(world)
    metas = list(call.accounts)
    metas[index] = with_(metas[index], is_writable=False)
    assert _refused(world, with_(call, accounts=tuple(metas))) == 2000


def test_that_the_payer_signs(world: World) -> None:
    call = _call(world)
    payer = AccountMeta(_STRANGER, is_signer=False, is_writable=False)
    assert _refused(world, with_(call, accounts=(payer, *call.accounts[1:]))) == 3010


def _behind(world: World, *addresses: str, writable: bool = True) -> Instruction:
    """Return a call with these accounts behind the named ones."""
    call = _call(world, 10**13)
    metas = [AccountMeta(at, is_signer=False, is_writable=writable) for at in addresses]
    return with_(call, accounts=(*call.accounts[:_ALONE], *metas))


def test_that_a_swap_needs_its_tick_arrays_in_order(world: World) -> None:
    world.open(pools.of_positions([(-n * 30, n * 60, 10**10) for n in range(1, 8)]))
    first, second, third, *_ = world.seen().curve(MINTS[0])
    most = int(first.most + second.most + third.most / 2)  # to the middle of array -2
    here, below, lower, above = (_array(place * _SPAN) for place in (0, -1, -2, 1))

    def with_arrays(*arrays: str) -> Instruction:
        return with_(_behind(world, *arrays), data=world.call(most).data)

    assert _refused(world, with_arrays()) == 6023
    assert _refused(world, with_arrays(below, lower)) == 6024
    assert _code(world, with_arrays(below)) == "pool.moved"
    assert _refused(world, with_arrays(here)) == 6023
    assert _code(world, with_arrays(here)) == "pool.moved"
    assert _refused(world, with_arrays(here, lower, below)) == 6023
    assert _refused(world, with_arrays(above, here, below, lower)) is None


def test_that_a_tick_array_is_the_pools_and_the_programs(world: World) -> None:
    here = _array(0)
    data = world.data(_array(_PLAIN.starts[0]))
    world.put(_STRANGER, data[:8] + bytes(32) + data[40:], layout.PROGRAM)
    assert _refused(world, _behind(world, _STRANGER)) == 2502
    world.put(_STRANGER, data, _SYSTEM)
    assert _refused(world, _behind(world, _STRANGER)) == 3007
    world.put(_STRANGER, bytes(8) + data[8:], layout.PROGRAM)
    assert _refused(world, _behind(world, _STRANGER)) == 3002
    assert _refused(world, _behind(world, _array(_PLAIN.starts[0]), writable=False)) == 3006
    # What is neither array nor extension ends the list.
    assert _refused(world, _behind(world, ADDRESS, here)) == 6023


def test_that_an_array_said_to_have_ticks_has_some(world: World) -> None:
    call = world.call(1 << 50)
    for at in _PLAIN.starts:
        if at <= 0:
            head = world.data(_array(at))[: layout.ARRAY_HEAD.size]
            world.put(_array(at), head.ljust(layout.ARRAY_BYTES, b"\0"), layout.PROGRAM)
    assert _refused(world, call) == 6009


def test_that_a_search_beyond_the_pools_own_map_needs_the_extension(world: World) -> None:
    world.open(pools.of_positions([(-90, 180, 10**12), (-40_000, 80_000, 10**6)], spacing=1))
    most = 1 << 40
    call = world.call(most)
    bare = with_(
        call,
        accounts=tuple(
            meta for meta in call.accounts if meta.address != layout.extension_address(ADDRESS)
        ),
    )
    assert len(bare.accounts) == len(call.accounts) - 1
    assert _refused(world, bare) == 6035
    assert _code(world, bare) == "pool.moved"
    world.patch(layout.extension_address(ADDRESS), 8, bytes(32))
    assert _refused(world, call) == 6051


def test_that_tokens_of_another_owner_do_not_move(world: World) -> None:
    world.put(_STRANGER, pools.token_data(MINTS[0], PURSE, owner=ADDRESS), TOKEN_PROGRAM)
    assert _refused(world, with_account(_call(world), _PAID_FROM, _STRANGER)) == 4
    assert _refused(world, with_account(_call(world), _RECEIVED_IN, PURSES[0])) == 3
    world.fund(_AMOUNT - 1, 0)
    assert _refused(world, _call(world)) == 1
    assert _code(world, _call(world)) == "funds.insufficient"


def test_that_only_the_derived_pool_signs_for_its_vaults(world: World) -> None:
    world.put(_STRANGER, world.data(ADDRESS), layout.PROGRAM)
    for start in _PLAIN.starts:
        data = world.data(_array(start))
        world.put(_array(start), data[:8] + bytes([77]) * 32 + data[40:], layout.PROGRAM)
    world.patch(OBSERVATION, 19, bytes([77]) * 32)
    call = with_account(_call_as_seen(world), _POOL, _STRANGER)
    assert world.send(call).error == "PrivilegeEscalation"


def _call_as_seen(world: World) -> Instruction:
    """Return a call made before the tick arrays were another's."""
    other = World()
    other.open(_PLAIN)
    call = _call(other)
    without = tuple(
        meta for meta in call.accounts if meta.address != layout.extension_address(ADDRESS)
    )
    assert world.data(ADDRESS) == other.data(ADDRESS)
    return with_(call, accounts=without)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: b"", 101),
        (lambda data: bytes(8) + data[8:], 101),
        (lambda data: bytes.fromhex("f8c69e91e17587c8") + data[8:], 101),  # the older swap
        (lambda data: data[:-1], 102),
        (lambda data: data[:8], 102),
        (lambda data: data[:-1] + b"\2", 102),
        (lambda data: data + b"\0", None),
    ],
)
def test_that_it_reads_its_instruction_as_the_real_one_does(
    world: World, change: Callable[[bytes], bytes], code: int | None
) -> None:
    call = _call(world)
    assert call.data[PRICE_LIMIT] == bytes(16)
    assert _refused(world, with_(call, data=change(call.data))) == code


def test_that_it_counts_its_accounts(world: World) -> None:
    call = _call(world)
    assert _refused(world, with_(call, accounts=call.accounts[:12])) == 3005
