"""RPC methods on what landed: statuses, transactions, an address's signatures, blocks."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from solders.signature import Signature

from quantdesk.localnet.bank import FINAL_DEPTH
from quantdesk.localnet.landed import Landed
from quantdesk.localnet.node import Node, with_context
from quantdesk.localnet.params import Config, Params, items, signature
from quantdesk.localnet.refusals import NOT_AVAILABLE, SKIPPED, RpcError, invalid
from quantdesk.localnet.transactions import ENCODINGS, account_keys, meta, shown, status

Json = Any
Method = Callable[[Node, Params], Json]
STATUSES_MAX = 256
SIGNATURES_MAX = 1000
BLOCKS_MAX = 500_000
RECENT_SLOTS = 300  # how far back statuses reach without searchTransactionHistory
DETAILS = ("full", "accounts", "signatures", "none")


class Found(NamedTuple):
    """A landed transaction in brief."""

    signature: bytes
    slot: int
    err: Json
    memo: str | None


def get_signature_statuses(node: Node, params: Params) -> Json:
    """Answer how far each signature has come, null for those not known."""
    wanted = [signature(text) for text in items(params.needed(0), most=STATUSES_MAX)]
    is_search = params.config(1).flag("searchTransactionHistory")
    view_slot = node.bank.slot - node.faults.stale_slots
    least = 0 if is_search else view_slot - RECENT_SLOTS
    value = [_status(node, bytes(item), view_slot, least) for item in wanted]
    return with_context(max(0, view_slot), value)


def get_transaction(node: Node, params: Params) -> Json:
    """Answer a transaction at the commitment, null if it is not there."""
    key = bytes(signature(params.needed(0)))
    options = _encoding_options(params.at(1))
    newest = node.bank.slot_at(options.rooted())
    encoding = options.choice("encoding", ENCODINGS) or "json"
    landed = node.bank.by_signature.get(key) or node.cluster.history.transaction(key)
    if landed is None or landed.slot > newest:
        return None
    body = shown(
        landed, encoding=encoding, version_max=options.number("maxSupportedTransactionVersion")
    )
    return {"slot": landed.slot, "blockTime": _time(node, landed.slot), **body}


def get_signatures_for_address(node: Node, params: Params) -> Json:
    """Answer an address's transactions, newest first; `before` and `until` by signature."""
    address = bytes(params.pubkey(0))
    options = params.config(1)
    newest = node.bank.slot_at(options.rooted())
    _ = node.slot(options)
    limit = options.number("limit")
    limit = SIGNATURES_MAX if limit is None else limit
    if not 1 <= limit <= SIGNATURES_MAX:
        raise invalid(f"Invalid limit; max {SIGNATURES_MAX}")
    found = _between(_of_address(node, address, newest), options)
    return [_line(node, item) for item in islice(found, limit)]


def get_block(node: Node, params: Params) -> Json:
    """Answer a block with its transactions."""
    slot = params.number(0)
    options = _encoding_options(params.at(1))
    if slot > node.bank.slot_at(options.rooted()):
        raise RpcError(NOT_AVAILABLE, f"Block not available for slot {slot}")
    timeline = node.bank.timeline
    if timeline.is_skipped(slot):
        raise RpcError(
            SKIPPED,
            f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot",
        )
    parent = timeline.parent(slot)
    found: dict[str, Json] = {
        "blockhash": str(timeline.hash_of(slot)),
        "previousBlockhash": str(timeline.hash_of(parent)),
        "parentSlot": parent,
        "blockTime": _time(node, slot),
        "blockHeight": timeline.height_of(slot),
    }
    if options.values.get("rewards", True):
        found["rewards"] = []
    return found | _details(_block(node, slot), options)


def get_blocks(node: Node, params: Params) -> Json:
    """Answer the slots that have a block, in a range."""
    first = params.number(0)
    has_end = isinstance(params.at(1), int)
    options = params.config(2 if has_end else 1)
    newest = node.bank.slot_at(options.rooted())
    last = min(params.number(1), newest) if has_end else newest
    if last - first > BLOCKS_MAX:
        raise invalid(f"Slot range too large; max {BLOCKS_MAX}")
    return _slots(node, first, last)


def get_blocks_with_limit(node: Node, params: Params) -> Json:
    """Answer so many slots that have a block."""
    first, limit = params.number(0), params.number(1)
    if limit > BLOCKS_MAX:
        raise invalid(f"Limit too large; max {BLOCKS_MAX}")
    last = node.bank.slot_at(params.config(2).rooted())
    return _slots(node, first, last)[:limit]


def _encoding_options(value: Json) -> Config:
    """Read the options; a bare string is the encoding, as older clients send it."""
    return Params([{"encoding": value} if isinstance(value, str) else value]).config(0)


def _status(node: Node, key: bytes, view_slot: int, least: int) -> Json:
    found = _brief(node, key)
    if found is None or not least <= found.slot <= view_slot:
        return None
    bank = node.bank
    depth = bank.timeline.height_of(view_slot) - bank.timeline.height_of(found.slot)
    level = bank.commitment_of(found.slot)
    if node.faults.stale_slots:
        level = "processed" if depth == 0 else "confirmed" if depth < FINAL_DEPTH else level
    return {
        "slot": found.slot,
        "confirmations": None if level == "finalized" else depth,
        "err": found.err,
        "status": status(found.err),
        "confirmationStatus": level,
    }


def _brief(node: Node, key: bytes) -> Found | None:
    landed = node.bank.by_signature.get(key)
    if landed is not None:
        return _found(landed)
    entry = node.cluster.history.entry(key)
    return Found(entry.signature, entry.slot, entry.err, entry.memo) if entry else None


def _of_address(node: Node, address: bytes, newest: int) -> Iterator[Found]:
    for landed in node.bank.unfinalized():
        if landed.slot <= newest and address in landed.keys:
            yield _found(landed)
    for entry in node.cluster.history.of_address(address):
        yield Found(entry.signature, entry.slot, entry.err, entry.memo)


def _between(found: Iterator[Found], options: Config) -> Iterator[Found]:
    before, until = options.values.get("before"), options.values.get("until")
    start = None if before is None else bytes(signature(before))
    stop = None if until is None else bytes(signature(until))
    for item in found:
        if item.signature == stop:
            return
        if start is None:
            yield item
        elif item.signature == start:
            start = None


def _line(node: Node, item: Found) -> Json:
    return {
        "signature": str(_signature(item.signature)),
        "slot": item.slot,
        "err": item.err,
        "memo": item.memo,
        "blockTime": _time(node, item.slot),
        "confirmationStatus": node.bank.commitment_of(item.slot),
    }


def _block(node: Node, slot: int) -> list[Landed]:
    for block in node.bank.blocks:
        if block.slot == slot:
            return block.landed
    return node.cluster.history.of_slot(slot)


def _details(block: list[Landed], options: Config) -> dict[str, Json]:
    details = options.choice("transactionDetails", DETAILS) or "full"
    encoding = options.choice("encoding", ENCODINGS) or "json"
    version_max = options.number("maxSupportedTransactionVersion")
    if details == "none":
        return {}
    if details == "signatures":
        return {"signatures": [str(_signature(landed.signature)) for landed in block]}
    if details == "accounts":
        return {"transactions": [_accounts_only(landed, version_max) for landed in block]}
    rows = [shown(landed, encoding=encoding, version_max=version_max) for landed in block]
    return {"transactions": rows}


def _accounts_only(landed: Landed, version_max: int | None) -> Json:
    row = shown(landed, encoding="base64", version_max=version_max)
    transaction = landed.transaction()
    row["transaction"] = {
        "signatures": [str(item) for item in transaction.signatures],
        "accountKeys": account_keys(landed, landed.message()),
    }
    kept = ("err", "status", "fee", "preBalances", "postBalances")
    whole = meta(landed, "jsonParsed")
    tokens = ("preTokenBalances", "postTokenBalances")
    row["meta"] = {name: whole[name] for name in (*kept, *tokens)}
    return row


def _slots(node: Node, first: int, last: int) -> list[int]:
    skipped = node.bank.timeline.is_skipped
    return [slot for slot in range(first, last + 1) if not skipped(slot)]


def _time(node: Node, slot: int) -> int:
    return node.bank.timeline.time_ms(slot) // 1000


def _found(landed: Landed) -> Found:
    return Found(landed.signature, landed.slot, landed.outcome.err, landed.memo)


def _signature(raw: bytes) -> Signature:
    return Signature.from_bytes(raw)


METHODS: dict[str, Method] = {
    "getSignatureStatuses": get_signature_statuses,
    "getTransaction": get_transaction,
    "getSignaturesForAddress": get_signatures_for_address,
    "getBlock": get_block,
    "getBlocks": get_blocks,
    "getBlocksWithLimit": get_blocks_with_limit,
}
