"""A trade's instructions → the message to sign; pure.

    compute limit · compute price · memo · token accounts it needs · wrap SOL
    → the venue's instructions → unwrap SOL

Trading SOL means trading wrapped SOL: what is given is wrapped first, and the account is closed in
the end, which turns everything in it back into SOL. All of it happens or nothing does.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from quantdesk.chains import port
from quantdesk.chains.solana.answers import TOKEN_PROGRAM
from quantdesk.core.assets import Asset
from quantdesk.core.errors import Refused
from quantdesk.core.markets import Side

MEMO_PROGRAM: Final = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
ASSOCIATED_TOKEN_PROGRAM: Final = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"  # noqa: S105 an address
SYSTEM_PROGRAM: Final = "11111111111111111111111111111111"
PACKET_BYTES: Final = 1232
"""The most a transaction may measure: https://solana.com/docs/core/transactions"""

_NATIVE: Final = "SOL"
_U64_MAX: Final = (1 << 64) - 1
_CREATE_IDEMPOTENT: Final = bytes([1])
_SYSTEM_TRANSFER: Final = struct.Struct("<IQ")
_TRANSFER: Final = 2
_CLOSE_ACCOUNT: Final = bytes([9])
_SYNC_NATIVE: Final = bytes([17])


@lru_cache(maxsize=4096)
def _key(address: str) -> Pubkey:
    return Pubkey.from_string(address)


_MEMO: Final = _key(MEMO_PROGRAM)
_ATA: Final = _key(ASSOCIATED_TOKEN_PROGRAM)
_SYSTEM: Final = _key(SYSTEM_PROGRAM)
_TOKEN: Final = _key(TOKEN_PROGRAM)


def instructions(
    trade: port.Trade, swaps: Sequence[port.Instruction], wallet: port.Wallet
) -> list[Instruction]:
    """Return everything the transaction does, after its compute budget.

    Raises `Refused` (`amount.too_large`) for amounts that no token account can hold.
    """
    if max(trade.base_raw, trade.quote_limit_raw) > _U64_MAX:
        raise Refused("the amount is beyond what a token account holds", code="amount.too_large")
    received = trade.base if trade.side is Side.BUY else trade.quote
    return [
        Instruction(_MEMO, trade.memo.encode(), []),
        *_open(wallet, received),
        *_wrap(wallet, trade),
        *(_translated(swap) for swap in swaps),
        *(_close(wallet) if _NATIVE in (trade.base.symbol, trade.quote.symbol) else ()),
    ]


def message(
    steps: Sequence[Instruction],
    *,
    payer: str,
    blockhash: Hash,
    compute_units: int,
    unit_price: int,
) -> MessageV0:
    """Return the message to sign: `compute_units` at `unit_price` micro-lamports each.

    Raises `Refused` (`transaction.too_large`) when it does not fit a packet once signed.
    """
    budget = [set_compute_unit_limit(compute_units), set_compute_unit_price(unit_price)]
    compiled = MessageV0.try_compile(_key(payer), [*budget, *steps], [], blockhash)
    size = len(bytes(unsigned(compiled)))
    if size > PACKET_BYTES:
        raise Refused(
            f"the transaction measures {size} bytes; Solana takes {PACKET_BYTES}",
            code="transaction.too_large",
        )
    return compiled


def unsigned(compiled: MessageV0) -> VersionedTransaction:
    """Return the message with empty signatures, as a simulation takes it."""
    blanks = [Signature.default()] * compiled.header.num_required_signatures
    return VersionedTransaction.populate(compiled, blanks)


def programs(raw: bytes) -> tuple[str, ...]:
    """Return the program of each instruction of our own signed bytes."""
    return called(VersionedTransaction.from_bytes(raw).message)


def called(content: Message | MessageV0 | MessageV1) -> tuple[str, ...]:
    """Return the program of each instruction of a message."""
    keys = content.account_keys
    return tuple(str(keys[step.program_id_index]) for step in content.instructions)


def _open(wallet: port.Wallet, asset: Asset) -> list[Instruction]:
    owner, account = _key(wallet.address), _key(wallet.token_accounts[asset.symbol])
    metas = [
        AccountMeta(owner, is_signer=True, is_writable=True),
        AccountMeta(account, is_signer=False, is_writable=True),
        AccountMeta(owner, is_signer=False, is_writable=False),
        AccountMeta(_key(asset.mint), is_signer=False, is_writable=False),
        AccountMeta(_SYSTEM, is_signer=False, is_writable=False),
        AccountMeta(_TOKEN, is_signer=False, is_writable=False),
    ]
    return [Instruction(_ATA, _CREATE_IDEMPOTENT, metas)]


def _wrap(wallet: port.Wallet, trade: port.Trade) -> list[Instruction]:
    sells = trade.side is Side.SELL
    given, amount = (trade.base, trade.base_raw) if sells else (trade.quote, trade.quote_limit_raw)
    if given.symbol != _NATIVE:
        return []
    owner, account = _key(wallet.address), _key(wallet.token_accounts[_NATIVE])
    pays = [
        AccountMeta(owner, is_signer=True, is_writable=True),
        AccountMeta(account, is_signer=False, is_writable=True),
    ]
    sync = [AccountMeta(account, is_signer=False, is_writable=True)]
    return [
        *_open(wallet, given),
        Instruction(_SYSTEM, _SYSTEM_TRANSFER.pack(_TRANSFER, amount), pays),
        Instruction(_TOKEN, _SYNC_NATIVE, sync),
    ]


def _close(wallet: port.Wallet) -> list[Instruction]:
    owner, account = _key(wallet.address), _key(wallet.token_accounts[_NATIVE])
    metas = [
        AccountMeta(account, is_signer=False, is_writable=True),
        AccountMeta(owner, is_signer=False, is_writable=True),
        AccountMeta(owner, is_signer=True, is_writable=False),
    ]
    return [Instruction(_TOKEN, _CLOSE_ACCOUNT, metas)]


def _translated(instruction: port.Instruction) -> Instruction:
    metas = [
        AccountMeta(_key(meta.address), meta.is_signer, meta.is_writable)
        for meta in instruction.accounts
    ]
    return Instruction(_key(instruction.program), instruction.data, metas)
