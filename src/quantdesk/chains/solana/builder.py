"""A trade's instructions → the message to sign; pure.

    compute limit · compute price · memo · token accounts it needs · wrap SOL
    → the venue's instructions → unwrap SOL

Trading SOL means trading wrapped SOL: what is given is wrapped first, and the account is closed in
the end, which turns everything in it back into SOL. All of it happens or nothing does.

Lookup tables are used only by what does not fit a packet without them, so that nothing else depends
on them. `size` counts what `message` would compile, without compiling.

Message format: https://solana.com/docs/core/transactions/versioned-transactions
"""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from quantdesk.chains import port
from quantdesk.chains.port import AccountMeta as Meta
from quantdesk.chains.solana.tables import TABLE_BYTES, Table, chosen
from quantdesk.core.assets import TOKEN_PROGRAM, Asset
from quantdesk.core.errors import Refused
from quantdesk.core.markets import Side

MEMO_PROGRAM: Final = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
ASSOCIATED_TOKEN_PROGRAM: Final = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"  # noqa: S105 an address
SYSTEM_PROGRAM: Final = "11111111111111111111111111111111"
PACKET_BYTES: Final = 1232
"""The most a transaction may measure: https://solana.com/docs/core/transactions"""
ACCOUNTS_MAX: Final = 64
"""The most accounts a transaction may lock, looked up ones included: same source."""

_COMPUTE_BUDGET: Final = "ComputeBudget111111111111111111111111111111"
_OWN: Final = frozenset(
    (
        _COMPUTE_BUDGET, MEMO_PROGRAM, ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM,
    )
)  # fmt: skip
_BUDGET_DATA: Final = (5, 9)  # bytes of the compute limit and of the price
_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_HEAD_BYTES: Final = 1 + 3 + 32  # version, counts of keys by kind, blockhash
_SHORT: Final = 128  # a length below it takes one byte
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


class Size(NamedTuple):
    """What a transaction takes of the chain's two limits, once signed."""

    bytes: int
    accounts: int

    @property
    def fits(self) -> bool:
        """Return whether the chain takes it."""
        return self.bytes <= PACKET_BYTES and self.accounts <= ACCOUNTS_MAX


def instructions(
    trade: port.Trade, swaps: Sequence[port.Instruction], wallet: port.Wallet
) -> list[Instruction]:
    """Return everything the transaction does, after its compute budget.

    Raises `Refused` (`amount.too_large`) for amounts that no token account can hold.
    """
    return [_translated(step) for step in _plan(trade, swaps, wallet)]


def size(
    trade: port.Trade,
    swaps: Sequence[port.Instruction],
    wallet: port.Wallet,
    *,
    tables: Sequence[Table] = (),
) -> Size:
    """Return what a trade by these swaps would measure, with the help of the tables if it needs it.

    Takes some microseconds: a router may ask it of every route it thinks of. Raises as
    `instructions` does.
    """
    plan = _plan(trade, swaps, wallet)
    keys = _Keys(plan, payer=wallet.address)
    fixed = _fixed_bytes(plan, keys)
    count = len(keys.all)
    plain = fixed + _length(count) + _KEY_BYTES * count
    if not tables or plain <= PACKET_BYTES:
        return Size(plain, count)
    left, looked_up = set(keys.loadable), 0
    for one in chosen(tables, left):
        found = one.entries & left
        left -= found
        looked_up += TABLE_BYTES + len(found)
    static = len(keys.all) - len(keys.loadable) + len(left)
    return Size(fixed + _length(static) + _KEY_BYTES * static + looked_up, count)


def message(
    steps: Sequence[Instruction],
    *,
    payer: str,
    blockhash: Hash,
    compute_units: int,
    unit_price: int,
    tables: Sequence[Table] = (),
) -> MessageV0:
    """Return the message to sign: `compute_units` at `unit_price` micro-lamports each.

    Raises `Refused` (`transaction.too_large`) when it does not fit a packet once signed, or locks
    more accounts than the chain lets it.
    """
    budget = [set_compute_unit_limit(compute_units), set_compute_unit_price(unit_price)]
    every, key = [*budget, *steps], _key(payer)
    compiled = MessageV0.try_compile(key, every, [], blockhash)
    if tables and len(bytes(unsigned(compiled))) > PACKET_BYTES:
        helpful = chosen(tables, _loadable(compiled))
        compiled = MessageV0.try_compile(key, every, [one.account for one in helpful], blockhash)
    measured = Size(len(bytes(unsigned(compiled))), _accounts(compiled))
    if not measured.fits:
        raise Refused(
            f"the transaction measures {measured.bytes} bytes and locks {measured.accounts} "
            f"accounts; Solana takes {PACKET_BYTES} and {ACCOUNTS_MAX}",
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


def swaps_at(content: MessageV0) -> list[int]:
    """Return where the venues' instructions stand in a message of ours, in their order."""
    return [at for at, program in enumerate(called(content)) if program not in _OWN]


def keys(compiled: MessageV0, tables: Iterable[Table] = ()) -> list[str]:
    """Return the accounts of a message in the chain's order: static, writable, readonly.

    `tables` are those it was compiled with, and may be more.
    """
    places = {one.account.key: one.account.addresses for one in tables}
    lookups = compiled.address_table_lookups
    found = [str(key) for key in compiled.account_keys]
    for lookup in lookups:
        found += (str(places[lookup.account_key][at]) for at in lookup.writable_indexes)
    for lookup in lookups:
        found += (str(places[lookup.account_key][at]) for at in lookup.readonly_indexes)
    return found


class _Keys:
    """The accounts of a plan: all of them, and those that may come from a table."""

    def __init__(self, plan: Sequence[port.Instruction], *, payer: str) -> None:
        metas = [meta for step in plan for meta in step.accounts]
        self.signers = {payer, *(meta.address for meta in metas if meta.is_signer)}
        pinned = {_COMPUTE_BUDGET, *self.signers, *(step.program for step in plan)}
        self.all = pinned | {meta.address for meta in metas}
        self.loadable = self.all - pinned


def _fixed_bytes(plan: Sequence[port.Instruction], keys: _Keys) -> int:
    """Return what the message takes beside its accounts and lookups."""
    signers = len(keys.signers)
    count = len(_BUDGET_DATA) + len(plan)
    total = _HEAD_BYTES + _length(signers) + _SIGNATURE_BYTES * signers + _length(count)
    total += 1  # how many tables
    total += sum(2 + _length(length) + length for length in _BUDGET_DATA)
    for step in plan:
        metas, data = len(step.accounts), len(step.data)
        total += 1 + _length(metas) + metas + _length(data) + data
    return total


def _length(count: int) -> int:
    return 1 if count < _SHORT else 2


def _loadable(compiled: MessageV0) -> list[str]:
    programs = {step.program_id_index for step in compiled.instructions}
    signers = compiled.header.num_required_signatures
    return [
        str(key)
        for at, key in enumerate(compiled.account_keys)
        if at >= signers and at not in programs
    ]


def _accounts(compiled: MessageV0) -> int:
    lookups = compiled.address_table_lookups
    looked_up = sum(len(one.writable_indexes) + len(one.readonly_indexes) for one in lookups)
    return len(compiled.account_keys) + looked_up


def _plan(
    trade: port.Trade, swaps: Sequence[port.Instruction], wallet: port.Wallet
) -> list[port.Instruction]:
    if max(trade.base_raw, trade.quote_limit_raw) > _U64_MAX:
        raise Refused("the amount is beyond what a token account holds", code="amount.too_large")
    received = trade.base if trade.side is Side.BUY else trade.quote
    unwraps = _NATIVE in (trade.base.symbol, trade.quote.symbol)
    return [
        port.Instruction(MEMO_PROGRAM, (), trade.memo.encode()),
        _open(wallet, received),
        *_wrap(wallet, trade),
        *swaps,
        *((_close(wallet),) if unwraps else ()),
    ]


def _open(wallet: port.Wallet, asset: Asset) -> port.Instruction:
    metas = (
        Meta(wallet.address, is_signer=True, is_writable=True),
        Meta(wallet.token_accounts[asset.symbol], is_signer=False, is_writable=True),
        Meta(wallet.address, is_signer=False, is_writable=False),
        Meta(asset.mint, is_signer=False, is_writable=False),
        Meta(SYSTEM_PROGRAM, is_signer=False, is_writable=False),
        Meta(asset.token_program, is_signer=False, is_writable=False),
    )
    return port.Instruction(ASSOCIATED_TOKEN_PROGRAM, metas, _CREATE_IDEMPOTENT)


def _wrap(wallet: port.Wallet, trade: port.Trade) -> list[port.Instruction]:
    sells = trade.side is Side.SELL
    given, amount = (trade.base, trade.base_raw) if sells else (trade.quote, trade.quote_limit_raw)
    if given.symbol != _NATIVE:
        return []
    account = Meta(wallet.token_accounts[_NATIVE], is_signer=False, is_writable=True)
    pays = (Meta(wallet.address, is_signer=True, is_writable=True), account)
    return [
        _open(wallet, given),
        port.Instruction(SYSTEM_PROGRAM, pays, _SYSTEM_TRANSFER.pack(_TRANSFER, amount)),
        port.Instruction(TOKEN_PROGRAM, (account,), _SYNC_NATIVE),
    ]


def _close(wallet: port.Wallet) -> port.Instruction:
    metas = (
        Meta(wallet.token_accounts[_NATIVE], is_signer=False, is_writable=True),
        Meta(wallet.address, is_signer=False, is_writable=True),
        Meta(wallet.address, is_signer=True, is_writable=False),
    )
    return port.Instruction(TOKEN_PROGRAM, metas, _CLOSE_ACCOUNT)


def _translated(instruction: port.Instruction) -> Instruction:
    metas = [
        AccountMeta(_key(meta.address), meta.is_signer, meta.is_writable)
        for meta in instruction.accounts
    ]
    return Instruction(_key(instruction.program), instruction.data, metas)
