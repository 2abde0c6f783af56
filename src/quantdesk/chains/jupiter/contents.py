"""What a transaction that another built may do, and how it is found again; pure.

The desk signs what it did not write, so it takes only what it understands:

- the wallet is the one signer and pays the fee: its signature is then the transaction's name, which
  can be looked for; where another signs first, nobody knows that name before it has landed;
- it does not advance a nonce: a transaction with one is valid for ever, and no block height would
  prove that it is dead;
- its outer instructions are the budget, the wallet's token accounts, wrapping, and Jupiter's own
  program, so that none of them can approve or reassign anything; SOL that is sent elsewhere, such
  as a tip, counts as a fee; what Jupiter's program would move is simulated.

Message format: https://solana.com/docs/core/transactions/versioned-transactions
Nonces: https://solana.com/developers/guides/advanced/introduction-to-durable-nonces
A recorded order: https://developers.jup.ag/docs/ultra/response
"""

import re
import struct
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.core.money import ceil_div

AGGREGATOR: Final = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4"
COMPUTE_BUDGET: Final = "ComputeBudget111111111111111111111111111111"
SYSTEM: Final = "11111111111111111111111111111111"
TOKEN: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 an address
ASSOCIATED_TOKEN: Final = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"  # noqa: S105 an address
_PACKET_BYTES: Final = 1232
_MICRO: Final = 1_000_000

_SYSTEM_TRANSFER: Final = struct.Struct("<IQ")
_TRANSFER: Final = b"\x02\x00\x00\x00"
_UNIT_LIMIT: Final = struct.Struct("<BI")
_UNIT_PRICE: Final = struct.Struct("<BQ")
_UNITS_MAX: Final = 1_400_000
_SIGNATURE_LAMPORTS: Final = 5_000  # https://solana.com/docs/core/fees
_CLOSE_ACCOUNT: Final = b"\x09"
_SYNC_NATIVE: Final = b"\x11"
_CREATE_ACCOUNT: Final = (b"", b"\x00", b"\x01")

_MAY: Final[Mapping[str, Callable[[bytes], bool]]] = {
    COMPUTE_BUDGET: lambda _: True,
    AGGREGATOR: lambda _: True,
    ASSOCIATED_TOKEN: lambda data: data in _CREATE_ACCOUNT,
    SYSTEM: lambda data: data.startswith(_TRANSFER) and len(data) == _SYSTEM_TRANSFER.size,
    TOKEN: lambda data: data in (_CLOSE_ACCOUNT, _SYNC_NATIVE),
}
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")


class Signer(Protocol):
    """What signs for the wallet."""

    def pubkey(self) -> Pubkey:
        """Return the wallet's address."""

    def sign_message(self, message: bytes) -> Signature:
        """Return the signature of a message; raise `Refused` (`wallet.locked`)."""


def message(text: str, *, wallet: str) -> MessageV0:
    """Return the message of an unsigned transaction in base 64, if the wallet may sign it.

    Raises `Unavailable` (`jupiter.unreadable`) when it is no transaction, and `Refused`
    (`route.unsupported`) when it is one that this file's rules do not let pass.
    """
    try:
        made = VersionedTransaction.from_bytes(b64decode(text, validate=True)).message
    except (Base64Error, ValueError):
        raise Unavailable("Jupiter's transaction is none", code="jupiter.unreadable") from None
    if not isinstance(made, MessageV0):
        raise _unsupported("it is not of version 0")
    keys = made.account_keys
    if made.header.num_required_signatures != 1 or str(keys[0]) != wallet:
        raise _unsupported("another wallet would have to sign it first")
    for step in made.instructions:
        if step.program_id_index >= len(keys):
            raise _unsupported("a program in a lookup table")
        program, data = str(keys[step.program_id_index]), bytes(step.data)
        may = _MAY.get(program)
        if may is None or not may(data):
            raise _unsupported(f"an instruction {data[:4].hex()} of {program}")
    return made


def fees(made: MessageV0, *, wrapped: str) -> int:
    """Return the lamports a message takes from the wallet beside the trade, at most.

    What goes to the wallet's own account of wrapped SOL is the trade. Raises `Refused`
    (`route.unsupported`) when an account is closed in favor of somebody else.
    """
    keys = [str(key) for key in made.account_keys]
    units, price, sent = _UNITS_MAX, 0, 0
    for step in made.instructions:
        program, data, accounts = keys[step.program_id_index], bytes(step.data), step.accounts
        if program == COMPUTE_BUDGET and data[:1] == b"\x02" and len(data) == _UNIT_LIMIT.size:
            units = _UNIT_LIMIT.unpack(data)[1]
        elif program == COMPUTE_BUDGET and data[:1] == b"\x03" and len(data) == _UNIT_PRICE.size:
            price = _UNIT_PRICE.unpack(data)[1]
        elif program == SYSTEM and _named(keys, accounts, 1) != wrapped:
            sent += _SYSTEM_TRANSFER.unpack(data)[1]
        elif program == TOKEN and data == _CLOSE_ACCOUNT and _named(keys, accounts, 1) != keys[0]:
            raise _unsupported("an account is closed in favor of somebody else")
    return _SIGNATURE_LAMPORTS + ceil_div(units * price, _MICRO) + sent


def unsigned(made: MessageV0) -> bytes:
    """Return the wire transaction as it is simulated: nobody could land it."""
    return bytes(VersionedTransaction.populate(made, [Signature.default()]))


def signed(made: MessageV0, signer: Signer) -> bytes:
    """Return the wire transaction; raise `Refused` (`transaction.too_large`, `wallet.locked`)."""
    signature = signer.sign_message(to_bytes_versioned(made))
    raw = bytes(VersionedTransaction.populate(made, [signature]))
    if len(raw) > _PACKET_BYTES:
        raise Refused("Jupiter's route does not fit a transaction", code="transaction.too_large")
    return raw


def name(raw: bytes) -> str:
    """Return the signature a wire transaction is found by."""
    return str(VersionedTransaction.from_bytes(raw).signatures[0])


def pack(request_id: str, raw: bytes) -> bytes:
    """Return the bytes to commit: Jupiter lands a transaction only with the order's own id."""
    if not _REQUEST_ID.fullmatch(request_id):
        raise Unavailable("Jupiter's order has no id", code="jupiter.unreadable")
    return request_id.encode("ascii") + b"\n" + raw


def unpack(committed: bytes) -> tuple[str, bytes]:
    """Return an order's id and the wire transaction; raise `Corrupt` (`receipt.unreadable`)."""
    head, line, raw = committed.partition(b"\n")
    if not line or not raw or not _REQUEST_ID.fullmatch(head.decode("ascii", "replace")):
        raise Corrupt("these are no bytes of a Jupiter order", code="receipt.unreadable")
    return head.decode("ascii"), raw


def _named(keys: list[str], accounts: bytes, at: int) -> str:
    """Return the address of an instruction's account, nothing where a lookup table has it."""
    index = accounts[at] if at < len(accounts) else len(keys)
    return keys[index] if index < len(keys) else ""


def _unsupported(why: str) -> Refused:
    return Refused(
        f"Jupiter's transaction is not one the desk signs: {why}", code="route.unsupported"
    )
