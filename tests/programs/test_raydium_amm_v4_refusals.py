"""What our AMM v4 refuses, by the real program's codes: other accounts, pools that do not trade.

Pools that trade with an order book are refused here and served there.
"""

from typing import Final

import pytest
from msgspec.structs import replace
from solders.pubkey import Pubkey
from tests.oracles.raydium.amm_v4_accounts import token_account
from tests.programs.amm_v4_world import (
    ADDRESS,
    MINTS,
    NONCE,
    NOW_S,
    PURSES,
    VAULTS,
    Setup,
    World,
    with_account,
)

from quantdesk.chains.port import AccountMeta, Instruction
from quantdesk.chains.solana.failures import failure
from quantdesk.venues.raydium.amm_v4.instructions import swap_base_in, swap_base_out
from quantdesk.venues.raydium.amm_v4.layout import AUTHORITY, PROGRAM, Status
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM

_TOKENS, _POOL, _AUTHORITY, _OPEN_ORDERS, _VAULT_0, _VAULT_1 = range(6)
_SOURCE, _DESTINATION, _OWNER = 14, 15, 16
_TOKEN_ACCOUNTS: Final = (_VAULT_0, _VAULT_1, _SOURCE, _DESTINATION)
_STRANGER: Final = Pubkey(bytes([9]) * 32)
_SYSTEM: Final = "1" * 32
_PANIC: Final = "ProgramFailedToComplete"


@pytest.fixture(scope="module")
def shared() -> World:
    return World()


@pytest.fixture
def world(shared: World) -> World:
    shared.open(Setup())
    return shared


@pytest.fixture(params=[True, False], ids=["exact in", "exact out"])
def call(request: pytest.FixtureRequest, world: World) -> Instruction:
    if request.param:
        return swap_base_in(world.leg(0), amount_in=10**6, minimum_out=0)
    return swap_base_out(world.leg(0), maximum_in=10**9, amount_out=10**6)


def _refused(world: World, call: Instruction, error: int | str) -> None:
    before, pool = world.amounts(), world.data(ADDRESS)
    assert world.send(call).error == error
    assert world.amounts() == before
    assert world.data(ADDRESS) == pool


def test_that_the_right_accounts_are_accepted(world: World, call: Instruction) -> None:
    assert world.send(call).error is None


def test_that_the_desk_knows_a_missed_limit_for_one(world: World) -> None:
    missed = {"InstructionError": [0, {"Custom": world.sell(10**6, 1 << 62).error}]}
    assert failure(missed, called=[PROGRAM]).code == "slippage.exceeded"
    closed = {"InstructionError": [0, {"Custom": 22}]}
    assert failure(closed, called=[PROGRAM]).code == "pool.gone"


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.SWAP_ONLY, Status.WAITING_TRADE}))
def test_that_a_pool_that_does_not_trade_is_refused(
    world: World, call: Instruction, status: Status
) -> None:
    world.open(Setup(status=status))
    _refused(world, call, 22)


def test_that_a_pool_is_shut_until_its_time(world: World, call: Instruction) -> None:
    world.open(Setup(status=Status.WAITING_TRADE, open_time_s=NOW_S + 1))
    _refused(world, call, 22)


@pytest.mark.parametrize("status", [8, 1 << 63])
def test_that_a_state_nobody_knows_is_refused(world: World, call: Instruction, status: int) -> None:
    world.open(Setup(status=status))
    _refused(world, call, _PANIC)


@pytest.mark.parametrize("fee", [(1, 0), (0, 0), (3, 2), (1 << 63, 1)])
def test_that_a_fee_that_is_no_fraction_is_refused(
    world: World, call: Instruction, fee: tuple[int, int]
) -> None:
    world.open(Setup(fee=fee))
    _refused(world, call, _PANIC)


def test_that_a_fee_of_everything_buys_nothing(world: World) -> None:
    world.open(Setup(fee=(1, 1)))
    assert world.sell(10**6).error == 29
    assert world.buy(10**6).error == _PANIC


@pytest.mark.parametrize("held", [(0, 10**9), (10**9, 0), (0, 0)])
def test_that_an_empty_pool_is_refused(world: World, held: tuple[int, int]) -> None:
    world.open(Setup(held=held))
    error = 40 if held[0] == 0 and held[1] else 29
    assert world.sell(10**6).error == error
    assert world.buy(10**6).error == (29 if held[1] else _PANIC)


def _copy(world: World, call: Instruction, index: int, *, owner: str) -> str:
    """Put the data of an account at a stranger's address."""
    data = world.data(Pubkey.from_string(call.accounts[index].address))
    world.put(_STRANGER, data, owner)
    return str(_STRANGER)


@pytest.mark.parametrize(
    ("index", "error"),
    [(_POOL, 27), (_VAULT_0, 4), (_VAULT_1, 5), (_SOURCE, 38), (_DESTINATION, 38)],
)
@pytest.mark.parametrize("owner", [_SYSTEM, TOKEN_2022])
def test_that_an_account_of_another_program_is_refused(
    world: World, call: Instruction, index: int, error: int, owner: str
) -> None:
    stranger = _copy(world, call, index, owner=owner)
    _refused(world, with_account(call, index, stranger), error)


@pytest.mark.parametrize(("index", "error"), [(_VAULT_0, 4), (_VAULT_1, 5)])
def test_that_a_twin_of_a_vault_is_not_the_vault(
    world: World, call: Instruction, index: int, error: int
) -> None:
    twin = _copy(world, call, index, owner=TOKEN_PROGRAM)
    _refused(world, with_account(call, index, twin), error)
    other = call.accounts[_VAULT_0 + _VAULT_1 - index].address
    _refused(world, with_account(call, index, other), error)


@pytest.mark.parametrize("index", [_VAULT_0, _VAULT_1])
@pytest.mark.parametrize("owner", [_SYSTEM, TOKEN_2022])
def test_that_a_vault_must_be_of_the_older_token_program(
    world: World, call: Instruction, index: int, owner: str
) -> None:
    vault = VAULTS[index - _VAULT_0]
    world.put(vault, world.data(vault), owner)
    _refused(world, call, 38)


@pytest.mark.parametrize("index", _TOKEN_ACCOUNTS)
def test_that_an_unused_or_cut_token_account_is_refused(
    world: World, call: Instruction, index: int
) -> None:
    address = Pubkey.from_string(call.accounts[index].address)
    data = world.data(address)
    for changed in (data[:108] + b"\0" + data[109:], data[:-1], b"", data + b"\0"):
        world.put(address, changed, TOKEN_PROGRAM)
        assert world.send_only(call) == 3


@pytest.mark.parametrize("change", [-1, 1])
def test_that_a_pool_of_another_length_is_refused(
    world: World, call: Instruction, change: int
) -> None:
    data = world.data(ADDRESS)
    world.put(ADDRESS, data[:-1] if change < 0 else data + b"\0", PROGRAM)
    _refused(world, call, 3)


def test_that_a_stranger_is_not_the_authority(world: World, call: Instruction) -> None:
    _refused(world, with_account(call, _AUTHORITY, str(_STRANGER)), 1)


@pytest.mark.parametrize("nonce", [255, 253, 252, 0])
def test_that_a_pool_cannot_name_its_own_authority(
    world: World, call: Instruction, nonce: int
) -> None:
    world.patch(ADDRESS, NONCE, "<Q", nonce)
    _refused(world, call, 1)


def test_that_vaults_of_another_authority_pay_nothing(world: World, call: Instruction) -> None:
    world.put(VAULTS[1], token_account(MINTS[1], _STRANGER, 10**11), TOKEN_PROGRAM)
    _refused(world, call, 4)  # the token program: owner does not match


def test_that_the_trader_must_sign(world: World, call: Instruction) -> None:
    metas = list(call.accounts)
    metas[_OWNER] = AccountMeta(str(_STRANGER), is_signer=False, is_writable=False)
    _refused(world, replace(call, accounts=tuple(metas)), 21)


def test_that_nobody_spends_the_tokens_of_another(world: World, call: Instruction) -> None:
    world.put(PURSES[0], token_account(MINTS[0], _STRANGER, 10**12), TOKEN_PROGRAM)
    _refused(world, call, 4)  # the token program: owner does not match


@pytest.mark.parametrize("program", [str(_STRANGER), TOKEN_2022, PROGRAM])
def test_that_only_the_older_token_program_moves_tokens(
    world: World, call: Instruction, program: str
) -> None:
    _refused(world, with_account(call, _TOKENS, program), 38)


@pytest.mark.parametrize("index", [_SOURCE, _DESTINATION])
@pytest.mark.parametrize("vault", VAULTS)
def test_that_a_vault_is_no_purse(
    world: World, call: Instruction, index: int, vault: Pubkey
) -> None:
    _refused(world, with_account(call, index, str(vault)), 42)


def test_that_a_purse_of_the_wrong_token_is_refused(world: World, call: Instruction) -> None:
    _refused(world, with_account(call, _SOURCE, str(PURSES[1])), 42)
    _refused(world, with_account(call, _DESTINATION, str(PURSES[0])), 42)
    world.put(_STRANGER, token_account(_STRANGER, _STRANGER, 0), TOKEN_PROGRAM)
    _refused(world, with_account(call, _DESTINATION, str(_STRANGER)), 42)


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_a_trader_without_the_tokens_is_refused(world: World, *, exact_in: bool) -> None:
    world.fund(10**6 - 1, 0)
    outcome = world.sell(10**6) if exact_in else world.buy(10**6)
    assert outcome.error == 40


@pytest.mark.parametrize("index", [_POOL, _VAULT_0, _VAULT_1, _SOURCE, _DESTINATION])
def test_that_accounts_to_be_written_must_be_writable(
    world: World, call: Instruction, index: int
) -> None:
    metas = list(call.accounts)
    metas[index] = replace(metas[index], is_writable=False)
    # The pool stands for the order book too: the call says of each whether it is written.
    before = world.amounts()
    assert world.send(replace(call, accounts=tuple(metas))).error is not None
    assert world.amounts() == before


@pytest.mark.parametrize("count", [*range(17), 19, 20])
def test_that_another_number_of_accounts_is_refused(
    world: World, call: Instruction, count: int
) -> None:
    accounts = (*call.accounts, *[call.accounts[_OPEN_ORDERS]] * 3)[:count]
    _refused(world, replace(call, accounts=accounts), 24)


@pytest.mark.parametrize(
    "data", [b"", b"\x09", b"\x09" + bytes(15), b"\x0b" + bytes(8), b"\x63" + bytes(16)]
)
def test_that_an_unreadable_instruction_is_refused(
    world: World, call: Instruction, data: bytes
) -> None:
    _refused(world, replace(call, data=data), "InvalidInstructionData")


def test_that_what_it_does_not_read_may_be_anything(world: World, call: Instruction) -> None:
    for index in (_OPEN_ORDERS, *range(_VAULT_1 + 1, _SOURCE)):
        assert world.send(with_account(call, index, str(_STRANGER))).error is None
        assert world.send(with_account(call, index, AUTHORITY)).error is None
