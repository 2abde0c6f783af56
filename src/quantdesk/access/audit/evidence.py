"""Evidence packs: one order with everything that proves it, to be verified with no desk at hand.

    rows of the order ─sha256─▶ leaf ∈ leaves of its batch ─sha256─▶ digest in a row of the audit
    ─sha256 with the hash before─▶ hash of that row ─Merkle path─▶ signed root

What people read in a pack (intent, decision, quotes, receipt, amounts) is also in the rows, and
`ops/verify_evidence.py` compares both. Of other orders a pack holds nothing but leaves.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from quantdesk.access.audit.chain import Row
from quantdesk.access.audit.signing import Root, Signer, over, stated
from quantdesk.access.audit.store import chain as rows
from quantdesk.access.audit.store import orders
from quantdesk.access.audit.tree import Paths, Tree
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.store.pool import Connection, Pools

FORMAT: Final = "quantdesk evidence 1"
_PAGE: Final = 10_000
_LEAVES_MAX: Final = 50_000
_ACTS_MAX: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Document = dict[str, Any]


async def owner_of(pools: Pools, order_id: UUID) -> UUID | None:
    """Return the account of an order, if there is such an order."""
    async with pools.read.connection() as c:
        return await orders.account_of(c, order_id)


async def pack(pools: Pools, order_id: UUID, *, signer: Signer, now_ms: int) -> Document:
    """Return the evidence pack of an order, as JSON is made of.

    Raises `Refused` (`order.unknown`, `evidence.too_large`) and `Unavailable` (`audit.pending`)
    while a row of it is not chained yet.
    """
    async with pools.read.snapshot() as c:
        events = await orders.events(c, order_id)
        attempts = await orders.attempts(c, order_id)
        if not events:
            raise Refused(f"there is no order {order_id}", code="order.unknown")
        batches = sorted(
            {("event", event["batch"]) for event in events}
            | {("attempt", attempt["batch"]) for attempt in attempts}
        )
        covering = await orders.covering(c, batches)
        if len(covering) < len(batches):
            raise Unavailable(
                "the audit has not chained all of this order yet: ask again in a second",
                code="audit.pending",
            )
        leaves = [await _batch(c, *batch, seq=covering[batch]) for batch in batches]
        about = rows.Filter(about=f"order:{order_id}", limit=_ACTS_MAX)
        wanted = {*covering.values(), *(row.seq for row in await rows.page(c, about))}
        proofs = _Proofs(c, signer=signer, now_ms=now_ms)
        proven = [await proofs.of(seq) for seq in sorted(wanted)]
        keys = await rows.keys(c)
    used = sorted({root.key for root in proofs.roots})
    return {
        "format": FORMAT,
        "orderId": str(order_id),
        **_told(events, attempts),
        "events": [_event(event) for event in events],
        "attempts": [_attempt(attempt) for attempt in attempts],
        "batches": leaves,
        "rows": proven,
        "roots": [
            {"statement": root.statement, "key": root.key, "signature": root.signature.hex()}
            for root in proofs.roots
        ],
        "keys": [{"id": key, "publicKey": keys[key].public.hex()} for key in used],
    }


class _Proofs:
    """Proves rows of one snapshot by signed roots; what no root covers yet is signed now."""

    def __init__(self, c: Connection, *, signer: Signer, now_ms: int) -> None:
        self._c = c
        self._signer = signer
        self._now_ms = now_ms
        self.roots: list[Root] = []
        self._fresh: Root | None = None

    async def of(self, seq: int) -> Document:
        """Return a row with the hashes that lead from it to a root."""
        root = await rows.root_over(self._c, seq) or await self._head()
        said = stated(root)
        paths = Paths([seq - said.first], said.last - said.first + 1)
        after = said.first - 1
        while after < said.last:
            found = await rows.hashes(self._c, after=after, last=said.last, limit=_PAGE)
            paths.add(found)
            after += len(found)
        if root not in self.roots:
            self.roots.append(root)
        [row] = await rows.rows(self._c, after=seq - 1, limit=1)
        path = [[side, beside.hex()] for side, beside in paths.path(seq - said.first)]
        return _proven(row, self.roots.index(root), path)

    async def _head(self) -> Root:
        if self._fresh is None:
            last = await rows.last_root(self._c)
            first = 1 if last is None else stated(last).last + 1
            head = await rows.head(self._c)
            tree = Tree()
            while first + tree.count <= head.seq:
                after = first + tree.count - 1
                for each in await rows.hashes(self._c, after=after, last=head.seq, limit=_PAGE):
                    tree.add(each)
            statement = over(tree, first=first, head=head.hash, at_ms=self._now_ms, day=None)
            self._fresh = self._signer.sign(statement)
        return self._fresh


async def _batch(c: Connection, kind: str, number: int, *, seq: int) -> Document:
    leaves: list[str] = []
    after: orders.Place | None = None
    while page := await orders.leaves(c, kind, number, after=after):
        leaves += [leaf.hex() for _, leaf in page]
        after = page[-1][0]
        if len(leaves) > _LEAVES_MAX:
            raise Refused(
                f"this order was written together with more than {_LEAVES_MAX} others: `quantdesk"
                " audit verify` proves it, a pack would be too large",
                code="evidence.too_large",
            )
    return {"kind": kind, "number": number, "row": seq, "leaves": leaves}


def _proven(row: Row, root: int, path: list[list[str]]) -> Document:
    return {
        "seq": row.seq,
        "prevHash": row.prev_hash.hex(),
        "body": row.body,
        "path": path,
        "root": root,
    }


def _told(events: Sequence[Mapping[str, Any]], attempts: Sequence[Mapping[str, Any]]) -> Document:
    """Return what a person reads, each part exactly as it stands in the rows."""
    receipts = [_part(event["data"], "receipt") for event in events]
    receipt = next((found for found in reversed(receipts) if found is not None), None)
    return {
        "status": events[-1]["status"],
        "intent": _intent(events[0].get("intent")),
        "riskDecision": _part(events[0]["data"], "decision"),
        "quotes": _part(attempts[-1]["route"], "quotes") if attempts else None,
        "receipt": receipt,
        "realised": None if receipt is None else _realised(receipt),
    }


def _realised(receipt: msgspec.Raw) -> Document:
    return {
        name: _part(bytes(receipt).decode(), name)
        for name in ("base", "quote", "networkFeeLamports")
    }


def _part(document: str, name: str) -> msgspec.Raw | None:
    found = msgspec.json.decode(document, type=dict[str, msgspec.Raw]).get(name)
    return found.copy() if found is not None else None


def _intent(wanted: Mapping[str, Any] | None) -> Document | None:
    if wanted is None:
        return None
    expires = wanted["expires_at"]
    return {
        "accountId": str(wanted["account_id"]),
        "mode": wanted["mode"],
        "pair": wanted["pair"],
        "direction": wanted["side"],
        "baseRaw": str(wanted["base_raw"]),
        "slippageBps": wanted["slippage_bps"],
        "limitPrice": wanted["limit_price"],
        "notionalUsd": wanted["notional_usd"],
        "decisionId": str(wanted["decision_id"]),
        "createdAtUs": _us(wanted["created_at"]),
        "expiresAtUs": None if expires is None else _us(expires),
        # Told where it was asked for: packs of all others are read by older verifiers too.
        **({} if wanted["priority"] is None else {"priority": wanted["priority"]}),
    }


def _event(event: Mapping[str, Any]) -> Document:
    return {
        "batch": event["batch"],
        "version": event["version"],
        "attempt": event["attempt"],
        "atUs": _us(event["at"]),
        "status": event["status"],
        "data": event["data"],
    }


def _attempt(attempt: Mapping[str, Any]) -> Document:
    return {
        "batch": attempt["batch"],
        "attempt": attempt["attempt"],
        "lastValidBlockHeight": attempt["last_valid_height"],
        "signedAtUs": _us(attempt["signed_at"]),
        "signature": attempt["signature"],
        "transaction": attempt["raw"].hex(),
        "simulation": attempt["simulation"],
        "route": attempt["route"],
    }


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
