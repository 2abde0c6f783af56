"""Try a transaction without keeping what it does: preflight and simulateTransaction."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from solders.account import Account
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from quantdesk.localnet.bank import Bank
from quantdesk.localnet.errors import error_json
from quantdesk.localnet.execute import (
    Keys,
    inner_instructions,
    lamports,
    returned,
    token_balances,
)
from quantdesk.localnet.landed import Inner, TokenBalance
from quantdesk.localnet.transactions import token_shown

BALANCES = ("preBalances", "postBalances", "preTokenBalances", "postTokenBalances")


class Balances(NamedTuple):
    """What the accounts of the transaction held before and after, in the order of its keys."""

    before: list[int]
    after: list[int]
    tokens_before: list[TokenBalance]
    tokens_after: list[TokenBalance]


class Trial(NamedTuple):
    """What the transaction would do; `err` in RPC shape, no balances if it was not even charged."""

    err: Any
    logs: list[str]
    units: int
    fee: int
    returned: tuple[str, bytes] | None
    inner: list[tuple[int, list[Inner]]]
    accounts: dict[Pubkey, Account]
    keys: Keys
    balances: Balances | None


def try_out(bank: Bank, transaction: VersionedTransaction, *, known_by: int | None) -> Trial:
    """Simulate against the current state.

    `known_by` is the height of the block that must have known the blockhash; None lets any pass.
    """
    keys = bank.keys(transaction)
    if known_by is not None:
        blockhash = transaction.message.recent_blockhash
        if not bank.timeline.is_valid(blockhash, known_by=known_by):
            return _refused("BlockhashNotFound", keys)
        if bank.is_spent(transaction):
            return _refused("AlreadyProcessed", keys)
    with bank.slot_hashes(transaction, keys):
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
        keys=keys,
        balances=_balances(bank, keys.all, accounts, err=err, fee=meta.fee()),
    )


def balances_shown(balances: Balances | None) -> dict[str, Any]:
    """Return the balances as the RPC writes them, null when there are none."""
    if balances is None:
        return dict.fromkeys(BALANCES)
    tokens = ([token_shown(one) for one in side] for side in balances[2:])
    return dict(zip(BALANCES, (*balances[:2], *tokens), strict=True))


def _balances(
    bank: Bank, keys: Sequence[Pubkey], written: dict[Pubkey, Account], *, err: object, fee: int
) -> Balances | None:
    svm = bank.state.svm
    accounts = [svm.get_account(key) for key in keys]
    before, tokens = lamports(accounts), token_balances(svm, accounts)
    if err is not None:
        is_charged = isinstance(err, dict) and "InstructionError" in err
        return (
            Balances(before, [before[0] - fee, *before[1:]], tokens, tokens) if is_charged else None
        )
    later = [written.get(key, account) for key, account in zip(keys, accounts, strict=True)]
    return Balances(before, lamports(later), tokens, token_balances(svm, later))


def _refused(err: str, keys: Keys) -> Trial:
    return Trial(
        err=err,
        logs=[],
        units=0,
        fee=0,
        returned=None,
        inner=[],
        accounts={},
        keys=keys,
        balances=None,
    )
