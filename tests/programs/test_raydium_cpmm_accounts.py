"""Our Raydium CPMM refuses every account that is not the one it must be, by Anchor's code."""

from typing import Final

import pytest
from msgspec.structs import replace
from solders.pubkey import Pubkey
from tests.programs.raydium_world import World, mint_account, token_account, with_account

from quantdesk.chains.port import AccountMeta, Instruction
from quantdesk.venues.raydium.cpmm import layout
from quantdesk.venues.raydium.cpmm.instructions import swap_base_input
from quantdesk.venues.reading import TOKEN_PROGRAM

(
    _PAYER,
    _AUTHORITY,
    _CONFIG,
    _POOL,
    _INPUT,
    _OUTPUT,
    _INPUT_VAULT,
    _OUTPUT_VAULT,
    _INPUT_PROGRAM,
    _OUTPUT_PROGRAM,
    _INPUT_MINT,
    _OUTPUT_MINT,
    _OBSERVATION,
) = range(13)
_STRANGER: Final = str(Pubkey.from_bytes(bytes([7]) * 32))
_TOKEN_2022: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
_STATES: Final = (_CONFIG, _POOL, _OBSERVATION)
_TOKEN_ACCOUNTS: Final = (_INPUT, _OUTPUT, _INPUT_VAULT, _OUTPUT_VAULT)
_WRITABLE: Final = (_POOL, *_TOKEN_ACCOUNTS, _OBSERVATION)


@pytest.fixture(scope="module")
def shared() -> World:
    return World()


@pytest.fixture
def world(shared: World) -> World:
    shared.reset()
    return shared


@pytest.fixture
def call(world: World) -> Instruction:
    return swap_base_input(world.leg(0), amount_in=10**6, minimum_out=0)


def _refused(world: World, call: Instruction, error: int | str) -> None:
    before = world.amounts()
    assert world.send(call).error == error
    assert world.amounts() == before
    assert world.owed() == (0,) * 6


def test_that_the_right_accounts_are_accepted(world: World, call: Instruction) -> None:
    assert world.send(call).error is None


def _copy(world: World, call: Instruction, index: int, *, owner: str) -> str:
    """Put the data of an account at a stranger's address."""
    data = world.data(Pubkey.from_string(call.accounts[index].address))
    world.put(Pubkey.from_string(_STRANGER), data, owner)
    return _STRANGER


@pytest.mark.parametrize("index", [*_STATES, *_TOKEN_ACCOUNTS, _INPUT_MINT, _OUTPUT_MINT])
def test_that_an_account_of_another_program_is_refused(
    world: World, call: Instruction, index: int
) -> None:
    stranger = _copy(world, call, index, owner="11111111111111111111111111111111")
    _refused(world, with_account(call, index, stranger), 3007)


@pytest.mark.parametrize("index", _STATES)
def test_that_a_state_of_another_type_is_refused(
    world: World, call: Instruction, index: int
) -> None:
    stranger = Pubkey.from_string(_STRANGER)
    data = world.data(Pubkey.from_string(call.accounts[index].address))
    for changed, error in ((bytes(8) + data[8:], 3002), (data[:7], 3001), (data[:-1], 3003)):
        world.put(stranger, changed, layout.PROGRAM)
        _refused(world, with_account(call, index, stranger), error)


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (_CONFIG, 2012),  # another config of the program, perhaps a cheaper one
        (_INPUT_VAULT, 2003),
        (_OUTPUT_VAULT, 2003),
        (_OBSERVATION, 2012),
        (_INPUT_MINT, 2012),
        (_OUTPUT_MINT, 2012),
    ],
)
def test_that_a_twin_of_an_account_is_not_the_account(
    world: World, call: Instruction, index: int, error: int
) -> None:
    address = Pubkey.from_string(call.accounts[index].address)
    owner = layout.PROGRAM if index in _STATES else TOKEN_PROGRAM
    assert world.data(address)
    _refused(world, with_account(call, index, _copy(world, call, index, owner=owner)), error)


def test_that_a_stranger_is_not_the_authority(world: World, call: Instruction) -> None:
    _refused(world, with_account(call, _AUTHORITY, _STRANGER), 2006)


def test_that_a_pool_cannot_name_its_own_authority(world: World, call: Instruction) -> None:
    world.patch(world.pool_address, 328, "<B", 252)
    _refused(world, call, 2006)


def test_that_the_trader_must_sign(world: World, call: Instruction) -> None:
    metas = list(call.accounts)
    metas[_PAYER] = AccountMeta(_STRANGER, is_signer=False, is_writable=False)
    _refused(world, replace(call, accounts=tuple(metas)), 3010)


def test_that_nobody_spends_the_tokens_of_another(world: World, call: Instruction) -> None:
    stranger = Pubkey.from_string(_STRANGER)
    data = token_account(world.mints[0], stranger, 10**9)
    world.put(world.purses[0], data, TOKEN_PROGRAM)
    _refused(world, call, 4)  # the token program: owner does not match


@pytest.mark.parametrize("index", [_INPUT_PROGRAM, _OUTPUT_PROGRAM])
@pytest.mark.parametrize("program", [_STRANGER, layout.PROGRAM])
def test_that_only_a_token_program_moves_tokens(
    world: World, call: Instruction, index: int, program: str
) -> None:
    _refused(world, with_account(call, index, program), 3008)


@pytest.mark.parametrize("index", [_INPUT_PROGRAM, _OUTPUT_PROGRAM])
def test_that_only_their_own_token_program_moves_tokens(
    world: World, call: Instruction, index: int
) -> None:
    outcome = world.send(with_account(call, index, _TOKEN_2022))
    assert outcome.error == "IncorrectProgramId"


@pytest.mark.parametrize("index", _WRITABLE)
def test_that_accounts_to_be_written_must_be_writable(
    world: World, call: Instruction, index: int
) -> None:
    metas = list(call.accounts)
    metas[index] = replace(metas[index], is_writable=False)
    _refused(world, replace(call, accounts=tuple(metas)), 2000)


@pytest.mark.parametrize("first", _WRITABLE)
@pytest.mark.parametrize("second", _WRITABLE)
def test_that_no_account_stands_for_two(
    world: World, call: Instruction, first: int, second: int
) -> None:
    if first == second:
        return
    twice = with_account(call, second, call.accounts[first].address)
    outcome = world.send(twice)
    assert outcome.error in {2003, 2012, 2040, 3002, 3007, 6008}


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [(_INPUT_VAULT, _OUTPUT, 2040), (_OUTPUT_VAULT, _OUTPUT, 2040), (_INPUT, _OUTPUT, 2040)],
)
def test_that_a_token_account_given_twice_is_named_as_such(
    world: World, call: Instruction, first: int, second: int, error: int
) -> None:
    _refused(world, with_account(call, second, call.accounts[first].address), error)


def test_that_one_vault_cannot_be_both(world: World, call: Instruction) -> None:
    both = with_account(call, _OUTPUT_VAULT, call.accounts[_INPUT_VAULT].address)
    _refused(world, with_account(both, _OUTPUT_MINT, call.accounts[_INPUT_MINT].address), 6008)


def test_that_the_output_goes_to_an_account_of_its_mint(world: World, call: Instruction) -> None:
    stranger = Pubkey.from_string(_STRANGER)
    data = token_account(world.mints[0], world.trader.pubkey(), 0)
    world.put(stranger, data, TOKEN_PROGRAM)
    _refused(world, with_account(call, _OUTPUT, stranger), 3)  # the token program: mint mismatch


@pytest.mark.parametrize("index", _TOKEN_ACCOUNTS)
def test_that_an_unused_or_cut_token_account_is_refused(
    world: World, call: Instruction, index: int
) -> None:
    address = Pubkey.from_string(call.accounts[index].address)
    data = world.data(address)
    for changed in (data[:108] + b"\0" + data[109:], data[:-1], b""):
        world.put(address, changed, TOKEN_PROGRAM)
        assert world.send(call).error == 3003


def test_that_a_mint_that_was_never_made_is_refused(world: World, call: Instruction) -> None:
    world.put(world.mints[0], bytes(82), TOKEN_PROGRAM)
    try:
        _refused(world, call, 3003)
    finally:
        world.put(world.mints[0], mint_account(world.pool.decimals[0]), TOKEN_PROGRAM)


@pytest.mark.parametrize("count", range(13))
def test_that_too_few_accounts_are_refused(world: World, call: Instruction, count: int) -> None:
    _refused(world, replace(call, accounts=call.accounts[:count]), 3005)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", 101),
        (b"\x8f\xbe\x5a", 101),
        (bytes(24), 101),
        (bytes.fromhex("8fbe5adac41e33de"), 102),
        (bytes.fromhex("37d96256a34ab4ad") + bytes(15), 102),
    ],
)
def test_that_an_unreadable_instruction_is_refused(
    world: World, call: Instruction, data: bytes, error: int
) -> None:
    _refused(world, replace(call, data=data), error)


def test_that_more_accounts_than_any_swap_needs_are_refused(
    world: World, call: Instruction
) -> None:
    extra = tuple(
        AccountMeta(str(Pubkey.from_bytes(bytes([9, n]) + bytes(30))), False, False)  # noqa: FBT003
        for n in range(20)
    )
    _refused(world, replace(call, accounts=call.accounts + extra), "InvalidAccountData")
    assert world.send(replace(call, accounts=call.accounts + extra[:4])).error is None
