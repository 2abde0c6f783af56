"""Run one transaction in LiteSVM and write down what it did, the way the RPC tells it."""

from collections.abc import Sequence
from typing import NamedTuple

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import (
    FailedTransactionMetadata,
    InnerInstruction,
    TransactionMetadata,
)

from quantdesk.localnet.errors import error_json
from quantdesk.localnet.landed import Inner, Outcome, TokenBalance, is_writable, message_of
from quantdesk.localnet.state import State
from quantdesk.localnet.tokens import holding, is_token_program, mint_decimals

LOOKUP_TABLE_META_BYTES = 56  # address-lookup-table program, LOOKUP_TABLE_META_SIZE
ADDRESS_BYTES = 32


class Keys(NamedTuple):
    """All addresses of a transaction in RPC order, and which of them it may write."""

    all: list[Pubkey]
    writable: list[Pubkey]
    loaded: tuple[list[str], list[str]]


def keys_of(svm: LiteSVM, transaction: VersionedTransaction) -> Keys:
    """Return the addresses, those of lookup tables resolved as far as the tables reach."""
    message = message_of(transaction)
    static = message.account_keys
    writable = [key for at, key in enumerate(static) if is_writable(message, at)]
    loaded_writable: list[Pubkey] = []
    loaded_readonly: list[Pubkey] = []
    for lookup in getattr(message, "address_table_lookups", []):
        table = svm.get_account(lookup.account_key)
        addresses = table.data[LOOKUP_TABLE_META_BYTES:] if table else b""
        loaded_writable += _picked(addresses, lookup.writable_indexes)
        loaded_readonly += _picked(addresses, lookup.readonly_indexes)
    return Keys(
        all=[*static, *loaded_writable, *loaded_readonly],
        writable=[*writable, *loaded_writable],
        loaded=([str(key) for key in loaded_writable], [str(key) for key in loaded_readonly]),
    )


def execute(state: State, transaction: VersionedTransaction, keys: Keys) -> Outcome | None:
    """Run it against the state and return what it did.

    None: it failed before it could be charged, so it is in no block (no such payer or program).
    """
    svm = state.svm
    state.note(keys.writable)
    accounts = _accounts(svm, keys.all)
    before = [account.lamports if account else 0 for account in accounts]
    tokens_before = _tokens(svm, keys.all, accounts)
    result = svm.send_transaction(transaction)
    payer_after = svm.get_balance(keys.all[0]) or 0
    if isinstance(result, FailedTransactionMetadata) and payer_after == before[0]:
        return None
    accounts = _accounts(svm, keys.all)
    meta = result.meta() if isinstance(result, FailedTransactionMetadata) else result
    err = error_json(result.err()) if isinstance(result, FailedTransactionMetadata) else None
    return Outcome(
        err=err,
        fee=meta.fee(),
        units=meta.compute_units_consumed(),
        logs=meta.logs(),
        inner=inner_instructions(meta),
        returned=returned(meta),
        before=before,
        after=[account.lamports if account else 0 for account in accounts],
        tokens_before=tokens_before,
        tokens_after=_tokens(svm, keys.all, accounts),
        loaded=keys.loaded,
    )


def is_panic(failure: BaseException) -> bool:
    """Tell whether this is a panic of the binding, which is no Exception and has no public type."""
    return type(failure).__name__ == "PanicException"


def inner_instructions(meta: TransactionMetadata) -> list[tuple[int, list[Inner]]]:
    """Return the instructions that programs called, under the instruction that began it."""
    found = []
    for index, calls in enumerate(meta.inner_instructions()):
        if calls:
            found.append((index, [_inner(call) for call in calls]))
    return found


def returned(meta: TransactionMetadata) -> tuple[str, bytes] | None:
    """Return the program and bytes of the return data, if any was set."""
    data = meta.return_data()
    found = bytes(data.data)
    return (str(data.program_id), found) if found else None


def _inner(call: InnerInstruction) -> Inner:
    compiled = call.instruction()
    return Inner(
        program=compiled.program_id_index,
        accounts=bytes(compiled.accounts),
        data=bytes(compiled.data),
        height=call.stack_height() or 1,
    )


def _picked(addresses: bytes, indexes: bytes) -> list[Pubkey]:
    at = [index * ADDRESS_BYTES for index in indexes]
    end = len(addresses)
    # An index past the table fails the transaction; it has no address to show then.
    return [Pubkey(addresses[i : i + ADDRESS_BYTES]) for i in at if i + ADDRESS_BYTES <= end]


def _accounts(svm: LiteSVM, keys: Sequence[Pubkey]) -> list[Account | None]:
    return [svm.get_account(key) for key in keys]


def _tokens(
    svm: LiteSVM, keys: Sequence[Pubkey], accounts: Sequence[Account | None]
) -> list[TokenBalance]:
    found = []
    for index, (_, account) in enumerate(zip(keys, accounts, strict=True)):
        if account is None or not is_token_program(account.owner):
            continue
        held = holding(account.data)
        if held is None:
            continue
        mint = svm.get_account(held.mint)
        found.append(
            TokenBalance(
                index=index,
                mint=str(held.mint),
                owner=str(held.owner),
                program=str(account.owner),
                amount=held.amount,
                decimals=mint_decimals(mint.data) if mint else 0,
            )
        )
    return found
