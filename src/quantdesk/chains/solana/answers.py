"""What a node says, typed; fields the desk does not read are skipped.

Shapes: https://solana.com/docs/rpc. Values a node may leave out are optional here, and whoever
reads them decides what their absence means.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any, Final

import msgspec

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Unavailable

TOKEN_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 an address
_TOKEN_ACCOUNT_SIZE: Final = 165
_AMOUNT: Final = slice(64, 72)  # after mint and owner


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
    """What a token account held; `account_index` counts the transaction's accounts."""

    account_index: int
    ui_token_amount: TokenAmount


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
    Layout: https://github.com/solana-program/token (state.rs, `Account`)
    """
    if account is None:
        return 0
    data = account.bytes()
    if account.owner != TOKEN_PROGRAM or len(data) != _TOKEN_ACCOUNT_SIZE:
        raise Unavailable("the node sent something else for a token account", code="rpc.unreadable")
    return int.from_bytes(data[_AMOUNT], "little")
