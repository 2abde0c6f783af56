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
from quantdesk.localnet.lookup_table import ADDRESS_BYTES, META_BYTES
from quantdesk.localnet.state import State
from quantdesk.localnet.tokens import holding, is_token_program, mint_decimals


class Keys(NamedTuple):
    """All addresses of a transaction: its own, then those looked up to write, and to read."""

    static: list[Pubkey]
    written: list[Pubkey]
    read: list[Pubkey]

    @property
    def all(self) -> list[Pubkey]:
        """Return them in RPC order."""
        return [*self.static, *self.written, *self.read]

    @property
    def loaded(self) -> tuple[list[str], list[str]]:
        """Return those looked up, as the RPC names them."""
        return [str(key) for key in self.written], [str(key) for key in self.read]


def keys_of(svm: LiteSVM, transaction: VersionedTransaction) -> Keys:
    """Return the addresses, those of lookup tables resolved as far as the tables reach."""
    message = message_of(transaction)
    written: list[Pubkey] = []
    read: list[Pubkey] = []
    for lookup in getattr(message, "address_table_lookups", []):
        table = svm.get_account(lookup.account_key)
        addresses = table.data[META_BYTES:] if table else b""
        written += _picked(addresses, lookup.writable_indexes)
        read += _picked(addresses, lookup.readonly_indexes)
    return Keys(message.account_keys, written, read)


def execute(state: State, transaction: VersionedTransaction, keys: Keys) -> Outcome | None:
    """Run it against the state and return what it did.

    None: it failed before it could be charged, so it is in no block (no such payer or program).
    """
    svm, every = state.svm, keys.all
    message = message_of(transaction)
    static = [key for at, key in enumerate(keys.static) if is_writable(message, at)]
    state.note([*static, *keys.written])
    accounts = [svm.get_account(key) for key in every]
    before = lamports(accounts)
    tokens_before = token_balances(svm, accounts)
    result = svm.send_transaction(transaction)
    payer_after = svm.get_balance(every[0]) or 0
    if isinstance(result, FailedTransactionMetadata) and payer_after == before[0]:
        return None
    accounts = [svm.get_account(key) for key in every]
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
        after=lamports(accounts),
        tokens_before=tokens_before,
        tokens_after=token_balances(svm, accounts),
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


def lamports(accounts: Sequence[Account | None]) -> list[int]:
    """Return what each account holds, 0 for one that is not there."""
    return [account.lamports if account else 0 for account in accounts]


def token_balances(svm: LiteSVM, accounts: Sequence[Account | None]) -> list[TokenBalance]:
    """Return the balance of each token account among these, by its place."""
    found = []
    for index, account in enumerate(accounts):
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
