"""RPC methods that run transactions: send, simulate, airdrop, and what a message costs."""

from collections.abc import Callable
from typing import Any

from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message, MessageV0, from_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from quantdesk.core.errors import Unavailable
from quantdesk.localnet.encoding import bytes_of, view
from quantdesk.localnet.errors import sentence
from quantdesk.localnet.genesis import faucet
from quantdesk.localnet.landed import Inner
from quantdesk.localnet.node import Node, with_context
from quantdesk.localnet.params import Config, Params, items, number, pubkey
from quantdesk.localnet.refusals import (
    PREFLIGHT,
    SIGNATURE,
    RpcError,
    invalid,
    unhealthy,
)
from quantdesk.localnet.simulate import Trial, balances_shown, try_out
from quantdesk.localnet.timeline import BLOCKHASH_AGE_MAX
from quantdesk.localnet.transactions import inner_shown, return_data

Json = Any
Method = Callable[[Node, Params], Json]
PACKET_BYTES_MAX = 1232
AIRDROP_LAMPORTS_MAX = 10_000_000 * 1_000_000_000
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
ACCOUNTS_MAX = 64


def send_transaction(node: Node, params: Params) -> Json:
    """Execute a transaction in the current slot and answer its signature.

    With preflight it is verified and tried first, its blockhash as known at preflightCommitment.
    """
    options = params.config(1)
    raw, transaction = _read(params.text(0), options.choice("encoding", ("base58", "base64")))
    node.slot(Config({**options.values, "commitment": _preflight_commitment(options)}))
    options.number("maxRetries")  # read and not needed: the leader is this node
    if not options.flag("skipPreflight"):
        _preflight(node, transaction, _preflight_commitment(options))
    elif not _is_signed(transaction):
        return str(transaction.signatures[0])  # a leader drops it and tells nobody
    signature = str(transaction.signatures[0])
    if node.faults.drops():
        return signature
    deliver(node, raw, transaction)
    if node.faults.doubles():
        deliver(node, raw, transaction)
    return signature


def deliver(node: Node, raw: bytes, transaction: VersionedTransaction) -> None:
    """Hand a transaction to the cluster, unless it plainly cannot land."""
    bank = node.bank
    if node.cluster.health:
        raise unhealthy(node.cluster.health)
    blockhash = transaction.message.recent_blockhash
    if not bank.timeline.is_valid(blockhash) or bank.is_spent(transaction):
        return
    try:
        node.cluster.send(raw, transaction)
    except Unavailable as cause:
        raise unhealthy(cause.detail) from cause


def simulate_transaction(node: Node, params: Params) -> Json:
    """Answer what a transaction would do."""
    options = params.config(1)
    _, transaction = _read(params.text(0), options.choice("encoding", ("base58", "base64")))
    slot = node.slot(options)
    replace = options.flag("replaceRecentBlockhash")
    if options.flag("sigVerify"):
        if replace:
            raise invalid("sigVerify may not be used with replaceRecentBlockhash")
        if not _is_signed(transaction):
            raise RpcError(SIGNATURE, "Transaction signature verification failure")
    known_by = None if replace else node.bank.timeline.height_of(slot)
    wanted = _wanted_accounts(options)
    trial = try_out(node.bank, transaction, known_by=known_by)
    value = _result(trial, is_inner=options.flag("innerInstructions"))
    if wanted is not None:
        value["accounts"] = None if trial.err else _accounts(node, trial, wanted, options)
    if replace:
        hash_slot = node.bank.slot_at(options.commitment())
        value["replacementBlockhash"] = {
            "blockhash": str(node.bank.timeline.hash_of(hash_slot)),
            "lastValidBlockHeight": node.bank.timeline.height_of(hash_slot) + BLOCKHASH_AGE_MAX,
        }
    return with_context(slot, value)


def request_airdrop(node: Node, params: Params) -> Json:
    """Send lamports from the faucet by an ordinary transaction and answer its signature."""
    to, lamports = params.pubkey(0), number(params.needed(1))
    if lamports > AIRDROP_LAMPORTS_MAX:
        raise invalid(f"Invalid request: at most {AIRDROP_LAMPORTS_MAX} lamports")
    timeline = node.bank.timeline
    source = faucet(timeline.seed)
    # The memo keeps two like airdrops in one slot from being one transaction.
    memo = Instruction(MEMO, f"airdrop {node.cluster.transaction_count}".encode(), [])
    gift = TransferParams(from_pubkey=source.pubkey(), to_pubkey=to, lamports=lamports)
    blockhash = timeline.hash_of(timeline.slot)
    message = MessageV0.try_compile(source.pubkey(), [transfer(gift), memo], [], blockhash)
    transaction = VersionedTransaction(message, [source])
    deliver(node, bytes(transaction), transaction)
    return str(transaction.signatures[0])


def get_fee_for_message(node: Node, params: Params) -> Json:
    """Answer what a message would be charged, null when its blockhash is not valid."""
    raw = bytes_of(params.text(0), "base64")
    slot = node.slot(params.config(1))
    try:
        message = from_bytes_versioned(raw)
    except (ValueError, TypeError) as cause:
        raise invalid(f"invalid message: {cause}") from cause
    if not node.bank.timeline.is_valid(message.recent_blockhash):
        return with_context(slot, None)
    count = message.header.num_required_signatures
    blank = VersionedTransaction.populate(message, [Signature.default()] * count)
    _sanitize(blank)
    return with_context(slot, try_out(node.bank, blank, known_by=None).fee)


def is_blockhash_valid(node: Node, params: Params) -> Json:
    """Answer whether a blockhash may still be used."""
    options = params.config(1)
    slot = node.slot(options)
    raw = bytes_of(params.text(0), "base58")
    if len(raw) != Hash.LENGTH:
        raise invalid("Invalid param: WrongSize")
    blockhash = Hash(raw)
    known_by = node.bank.timeline.height_of(slot)
    return with_context(slot, node.bank.timeline.is_valid(blockhash, known_by=known_by))


def _preflight_commitment(options: Config) -> str:
    return options.commitment("preflightCommitment")


def _preflight(node: Node, transaction: VersionedTransaction, commitment: str) -> None:
    if not _is_signed(transaction):
        raise RpcError(SIGNATURE, "Transaction signature verification failure")
    known_by = node.bank.timeline.height_of(node.bank.slot_at(commitment))
    trial = try_out(node.bank, transaction, known_by=known_by)
    if trial.err is not None:
        data = _result(trial, is_inner=False)
        raise RpcError(PREFLIGHT, f"Transaction simulation failed: {sentence(trial.err)}", data)


def _read(text: str, encoding: str | None) -> tuple[bytes, VersionedTransaction]:
    """Decode a transaction; the default encoding is the old base58, as on the node."""
    raw = bytes_of(text, encoding or "base58")
    if len(raw) > PACKET_BYTES_MAX:
        raise invalid(
            f"decoded solana_transaction::versioned::VersionedTransaction too large: "
            f"{len(raw)} bytes (max: {PACKET_BYTES_MAX} bytes)"
        )
    try:
        transaction = VersionedTransaction.from_bytes(raw)
    except (ValueError, TypeError) as cause:
        raise invalid(f"failed to deserialize transaction: {cause}") from cause
    _sanitize(transaction)
    return raw, transaction


def _sanitize(transaction: VersionedTransaction) -> None:
    if not isinstance(transaction.message, Message | MessageV0):
        raise invalid("invalid transaction: unsupported transaction version")
    try:
        transaction.sanitize()
    except Exception as cause:  # the binding exports no narrower type
        raise invalid(f"invalid transaction: {cause}") from cause


def _is_signed(transaction: VersionedTransaction) -> bool:
    results: list[bool] = transaction.verify_with_results()
    return all(results)


def _result(trial: Trial, *, is_inner: bool) -> dict[str, Json]:
    inner = None
    if is_inner:
        names = [str(key) for key in trial.keys.all]
        inner = [_calls(index, calls, names) for index, calls in trial.inner]
    writable, readonly = trial.keys.loaded
    return {
        "err": trial.err,
        "logs": trial.logs,
        "accounts": None,
        "unitsConsumed": trial.units,
        "fee": trial.fee,
        "loadedAccountsDataSize": None,
        "returnData": return_data(trial.returned) if trial.returned else None,
        "innerInstructions": inner,
        "loadedAddresses": {"writable": writable, "readonly": readonly},
        **balances_shown(trial.balances),
    }


def _calls(index: int, calls: list[Inner], names: list[str]) -> Json:
    shown = [inner_shown(call, names, "jsonParsed") for call in calls]
    return {"index": index, "instructions": shown}


def _wanted_accounts(options: Config) -> list[Pubkey] | None:
    wanted = options.table("accounts")
    if wanted is None:
        return None
    addresses = items(wanted.values.get("addresses"), most=ACCOUNTS_MAX)
    if wanted.values.get("encoding") in {"binary", "base58"}:
        raise invalid("base58 encoding not supported")
    return [pubkey(address) for address in addresses]


def _accounts(node: Node, trial: Trial, wanted: list[Pubkey], options: Config) -> Json:
    asked = options.table("accounts")
    encoding = asked.values.get("encoding") if asked else None
    show = view(Config({"encoding": encoding or "base64"}))
    slot = node.bank.slot
    found = [trial.accounts.get(key) or node.account(key, slot) for key in wanted]
    return [
        None if account is None else show(account, node.decimals(account, slot))
        for account in found
    ]


METHODS: dict[str, Method] = {
    "sendTransaction": send_transaction,
    "simulateTransaction": simulate_transaction,
    "requestAirdrop": request_airdrop,
    "getFeeForMessage": get_fee_for_message,
    "isBlockhashValid": is_blockhash_valid,
}
