"""A transaction as it landed: what the RPC tells of it, and what history keeps on disk."""

from collections.abc import Iterator
from typing import Any

import msgspec
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

AnyMessage = Message | MessageV0


class TokenBalance(msgspec.Struct, frozen=True, array_like=True):
    """What a token account held; `amount` in base units."""

    index: int
    mint: str
    owner: str
    program: str
    amount: int
    decimals: int


class Inner(msgspec.Struct, frozen=True, array_like=True):
    """An instruction a program called; accounts are indices into the transaction's keys."""

    program: int
    accounts: bytes
    data: bytes
    height: int


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """What execution did; `err` in RPC shape, balances in lamports, one per account key."""

    err: Any
    fee: int
    units: int
    logs: list[str]
    inner: list[tuple[int, list[Inner]]]
    returned: tuple[str, bytes] | None
    before: list[int]
    after: list[int]
    tokens_before: list[TokenBalance]
    tokens_after: list[TokenBalance]
    loaded: tuple[list[str], list[str]]  # writable, readonly addresses of lookup tables


class Landed(msgspec.Struct, frozen=True, array_like=True):
    """A transaction in a block."""

    signature: bytes
    slot: int
    index: int
    keys: list[bytes]
    memo: str | None
    raw: bytes
    outcome: Outcome

    def transaction(self) -> VersionedTransaction:
        """Return the transaction itself."""
        return VersionedTransaction.from_bytes(self.raw)

    def message(self) -> AnyMessage:
        """Return what was signed."""
        return message_of(self.transaction())


def message_of(transaction: VersionedTransaction) -> AnyMessage:
    """Return the message of a transaction that was read here, so of version legacy or 0."""
    message = transaction.message
    assert isinstance(message, Message | MessageV0)
    return message


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Landed).decode

LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
MEMO_PROGRAMS = {
    "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
    "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo",
}


def memos(message: AnyMessage) -> str | None:
    """Return the memos of a message as the RPC lists them: `[bytes] text`, joined by `; `."""
    keys = message.account_keys
    found = list(_memos(message, [str(key) for key in keys]))
    return "; ".join(f"[{len(data)}] {data.decode(errors='replace')}" for data in found) or None


def _memos(message: AnyMessage, keys: list[str]) -> Iterator[bytes]:
    for instruction in message.instructions:
        at = instruction.program_id_index
        if at < len(keys) and keys[at] in MEMO_PROGRAMS:
            yield bytes(instruction.data)


def is_writable(message: AnyMessage, at: int) -> bool:
    """Tell whether a static key may be written: marked so, and not called as a program."""
    header, count = message.header, len(message.account_keys)
    signers = header.num_required_signatures
    if at < signers:
        return at < signers - header.num_readonly_signed_accounts
    if at >= count - header.num_readonly_unsigned_accounts:
        return False
    if all(called.program_id_index != at for called in message.instructions):
        return True
    return LOADER in message.account_keys  # upgrades write the program they name


def writable(landed: Landed) -> list[Pubkey]:
    """Return the accounts this transaction may have changed: only the payer if it failed."""
    keys = [Pubkey(key) for key in landed.keys]
    if landed.outcome.err is not None:
        return keys[:1]
    message = landed.message()
    count = len(message.account_keys)
    loaded = count + len(landed.outcome.loaded[0])
    static = [key for at, key in enumerate(keys[:count]) if is_writable(message, at)]
    return static + keys[count:loaded]
