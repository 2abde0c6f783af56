"""An account is read only when it is there, its program's own, whole and of the right kind."""

import pytest
from msgspec.structs import replace
from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt
from quantdesk.venues import reading
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM, TokenAccount

_PROGRAM, _MINT, _OWNER, _AT = (str(Pubkey.from_bytes(bytes([byte]) * 32)) for byte in range(1, 5))
_HEAD = b"\1\2\3\4\5\6\7\x08"
_GOOD = AccountState(_AT, _HEAD + bytes(92), _PROGRAM, 5)
_ABSENT = AccountState(_AT, b"", "", 5)
_TOKENS = AccountState(
    _AT,
    bytes(Pubkey.from_string(_MINT))
    + bytes(Pubkey.from_string(_OWNER))
    + (1 << 63).to_bytes(8, "little")
    + bytes(36)
    + b"\1"
    + bytes(56),
    TOKEN_PROGRAM,
    5,
)


def _body(state: AccountState) -> bytes:
    return reading.body(state, "pool", owner=_PROGRAM, discriminator=_HEAD, length=100)


def test_that_a_whole_account_of_its_program_is_read() -> None:
    assert _body(_GOOD) == _GOOD.data
    assert reading.body(_GOOD, "pool", owner=_PROGRAM, length=100) == _GOOD.data
    assert reading.owned(_GOOD, "pool", owner=_PROGRAM) == _GOOD.data


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (_ABSENT, "account.missing"),
        (replace(_GOOD, owner=_OWNER), "account.foreign"),
        (replace(_GOOD, owner=_OWNER, data=b"\1"), "account.foreign"),
        (replace(_GOOD, data=_GOOD.data[:-1]), "account.unreadable"),
        (replace(_GOOD, data=_GOOD.data + b"\0"), "account.unreadable"),
        (replace(_GOOD, data=_GOOD.data[:7]), "account.unreadable"),
        (replace(_GOOD, data=bytes(100)), "account.unreadable"),
    ],
)
def test_that_any_other_account_is_named_for_what_is_wrong(state: AccountState, code: str) -> None:
    with pytest.raises(Corrupt) as corrupt:
        _body(state)
    assert corrupt.value.code == code
    assert _AT in corrupt.value.detail


@pytest.mark.parametrize(("state", "code"), [(_ABSENT, "missing"), (_GOOD, "foreign")])
def test_that_an_account_of_no_fixed_layout_must_be_there_and_its_programs_own(
    state: AccountState, code: str
) -> None:
    with pytest.raises(Corrupt) as corrupt:
        reading.owned(state, "pool", owner=_OWNER)
    assert corrupt.value.code == f"account.{code}"


def _token_account(state: AccountState) -> TokenAccount:
    return reading.token_account(state, mint=_MINT, owner=_OWNER)


def _extended(length: int, kind: int = 2) -> AccountState:
    data = (_TOKENS.data + bytes([kind])).ljust(length, b"\0")[:length]
    return replace(_TOKENS, data=data, owner=TOKEN_2022)


def test_that_a_token_account_says_whose_it_is_and_what_it_holds() -> None:
    assert _token_account(_TOKENS) == TokenAccount(_MINT, _OWNER, TOKEN_PROGRAM, 1 << 63)


@pytest.mark.parametrize("length", [165, 166, 170, 182, 354, 356, 500])
def test_that_token_2022_may_append_extensions(length: int) -> None:
    assert _token_account(_extended(length)) == TokenAccount(_MINT, _OWNER, TOKEN_2022, 1 << 63)


def _at(offset: int, value: int, state: AccountState = _TOKENS) -> AccountState:
    return replace(state, data=state.data[:offset] + bytes([value]) + state.data[offset + 1 :])


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (_ABSENT, "account.missing"),
        (replace(_TOKENS, owner=_PROGRAM), "account.foreign"),
        (replace(_TOKENS, data=_TOKENS.data[:-1]), "account.unreadable"),
        (replace(_TOKENS, data=_TOKENS.data[:82]), "account.unreadable"),  # as long as a mint
        (replace(_TOKENS, data=_TOKENS.data + b"\2"), "account.unreadable"),  # not of this program
        (_extended(164), "account.unreadable"),
        (_extended(355), "account.unreadable"),  # as long as a multisig
        (_extended(170, kind=0), "account.unreadable"),
        (_extended(170, kind=1), "account.unreadable"),  # a mint with extensions
        (_at(108, 0), "account.unreadable"),  # uninitialized
        (_at(108, 2), "account.unreadable"),  # frozen
        (_at(0, 9), "account.foreign"),  # another mint
        (_at(63, 9), "account.foreign"),  # another owner
    ],
)
def test_that_any_other_token_account_is_named_for_what_is_wrong(
    state: AccountState, code: str
) -> None:
    with pytest.raises(Corrupt) as corrupt:
        _token_account(state)
    assert corrupt.value.code == code
    assert _AT in corrupt.value.detail


def test_that_an_address_is_read_where_it_stands() -> None:
    assert reading.address(_TOKENS.data, 32) == _OWNER
