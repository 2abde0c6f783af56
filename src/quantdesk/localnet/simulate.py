"""Try a transaction without keeping what it does: preflight and simulateTransaction."""

from typing import Any, NamedTuple

from solders.account import Account
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from quantdesk.localnet.bank import Bank
from quantdesk.localnet.errors import error_json
from quantdesk.localnet.execute import inner_instructions, returned
from quantdesk.localnet.landed import Inner


class Trial(NamedTuple):
    """What the transaction would do; `err` in RPC shape."""

    err: Any
    logs: list[str]
    units: int
    fee: int
    returned: tuple[str, bytes] | None
    inner: list[tuple[int, list[Inner]]]
    accounts: dict[Pubkey, Account]


def try_out(bank: Bank, transaction: VersionedTransaction, *, known_by: int | None) -> Trial:
    """Simulate against the current state.

    `known_by` is the height of the block that must have known the blockhash; None lets any pass.
    """
    if known_by is not None:
        blockhash = transaction.message.recent_blockhash
        if not bank.timeline.is_valid(blockhash, known_by=known_by):
            return _refused("BlockhashNotFound")
        if bank.is_spent(transaction):
            return _refused("AlreadyProcessed")
    result = bank.state.svm.simulate_transaction(transaction)
    meta = result.meta()
    if isinstance(result, FailedTransactionMetadata):
        err, accounts = error_json(result.err()), {}
    else:
        err, accounts = None, dict(result.post_accounts())
    return Trial(
        err=err,
        logs=meta.logs(),
        units=meta.compute_units_consumed(),
        fee=meta.fee(),
        returned=returned(meta),
        inner=inner_instructions(meta),
        accounts=accounts,
    )


def _refused(err: str) -> Trial:
    return Trial(err=err, logs=[], units=0, fee=0, returned=None, inner=[], accounts={})
