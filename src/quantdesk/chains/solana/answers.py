"""What a node says, typed; fields the desk does not read are skipped.

Shapes: https://solana.com/docs/rpc. Values a node may leave out are optional here, and whoever
reads them decides what their absence means.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any, Final

import msgspec

from quantdesk.chains.port import AccountState
from quantdesk.core.assets import TOKEN_2022, TOKEN_PROGRAMS
from quantdesk.core.errors import Unavailable

_TOKEN_ACCOUNT_SIZE: Final = 165
_AMOUNT: Final = slice(64, 72)  # after mint and owner
_MULTISIG_SIZE: Final = 355  # which no token account has: Token-2022 pads one that would
_IS_TOKEN_ACCOUNT: Final = 2


class Context(msgspec.Struct, frozen=True):
    """The slot an answer is true for."""

    slot: int


class Blockhash(msgspec.Struct, frozen=True, rename="camel"):
    """A recent blockhash and the last height it is valid at."""

    blockhash: str
    last_valid_block_height: int


class BlockhashAnswer(msgspec.Struct, frozen=True):
    """`getLatestBlockhash`."""

    context: Context
    value: Blockhash


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """What a node knows of a signature; `err` is a TransactionError or null."""

    slot: int
    err: Any = None
    confirmation_status: str | None = None


class StatusesAnswer(msgspec.Struct, frozen=True):
    """`getSignatureStatuses`."""

    context: Context
    value: list[Status | None]


class EpochInfo(msgspec.Struct, frozen=True, rename="camel"):
    """`getEpochInfo`: slot and block height read in one moment."""

    absolute_slot: int
    block_height: int


class PrioritizationFee(msgspec.Struct, frozen=True, rename="camel"):
    """The least a block's transactions paid, in micro-lamports per compute unit."""

    slot: int
    prioritization_fee: int


class AccountAnswer(msgspec.Struct, frozen=True):
    """An account's state; `data` is base64 and the word "base64"."""

    lamports: int
    owner: str
    data: tuple[str, str]

    def bytes(self) -> bytes:
        """Return the data; raise `Unavailable` (`rpc.unreadable`) when it is not base64."""
        text, encoding = self.data
        try:
            if encoding == "base64":
                return b64decode(text, validate=True)
        except (NotBase64, ValueError):
            pass
        raise Unavailable("the node sent account data that is not base64", code="rpc.unreadable")


class AccountsAnswer(msgspec.Struct, frozen=True):
    """`getMultipleAccounts`."""

    context: Context
    value: list[AccountAnswer | None]


class TokenAmount(msgspec.Struct, frozen=True):
    """Base units, as decimal digits."""

    amount: str


class TokenBalance(msgspec.Struct, frozen=True, rename="camel"):
    """What a token account held; `account_index` counts the transaction's accounts.

    `owner` is the wallet whose account it is.
    """

    account_index: int
    ui_token_amount: TokenAmount
    mint: str = ""
    owner: str | None = None


class SimulationResult(msgspec.Struct, frozen=True, rename="camel"):
    """What a simulated transaction did; `err` is a TransactionError or null.

    Older nodes send no balances: https://github.com/anza-xyz/agave/pull/6750. `accounts` is there
    when it was asked for.
    """

    err: Any = None
    logs: list[str] | None = None
    units_consumed: int | None = None
    fee: int | None = None
    pre_balances: list[int] | None = None
    post_balances: list[int] | None = None
    pre_token_balances: list[TokenBalance] | None = None
    post_token_balances: list[TokenBalance] | None = None
    accounts: list[AccountAnswer | None] | None = None


class SimulationAnswer(msgspec.Struct, frozen=True):
    """`simulateTransaction`."""

    context: Context
    value: SimulationResult


def account_state(address: str, account: AccountAnswer | None, *, slot: int) -> AccountState:
    """Return an account as the port shows it; raise as `AccountAnswer.bytes` does."""
    if account is None:
        return AccountState(address, b"", "", slot)
    return AccountState(address, account.bytes(), account.owner, slot)


def token_amount(account: AccountAnswer | None) -> int:
    """Return the base units a token account holds, zero when it does not exist.

    Raises `Unavailable` (`rpc.unreadable`) when it is not a token account.
    Layout: https://github.com/solana-program/token (state.rs, `Account`); what Token-2022 appends:
    https://github.com/solana-program/token-2022 (interface/src/extension/mod.rs)
    """
    if account is None:
        return 0
    data = account.bytes()
    if not _is_token_account(account.owner, data):
        raise Unavailable("the node sent something else for a token account", code="rpc.unreadable")
    return int.from_bytes(data[_AMOUNT], "little")


def _is_token_account(program: str, data: bytes) -> bool:
    if len(data) <= _TOKEN_ACCOUNT_SIZE or program != TOKEN_2022:
        return program in TOKEN_PROGRAMS and len(data) == _TOKEN_ACCOUNT_SIZE
    return len(data) != _MULTISIG_SIZE and data[_TOKEN_ACCOUNT_SIZE] == _IS_TOKEN_ACCOUNT
