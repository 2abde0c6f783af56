"""The books of a desk, audited from outside: what it promised, what it tells, what its chain says.

The chain is asked itself, not through the desk: every transaction of the wallet carries the memo
`qd:<order>:<attempt>`, so the fills of each order can be counted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import aiohttp
import msgspec

from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Unavailable
from quantdesk.core.money import from_raw
from quantdesk.engines.orders.model import OPEN, OrderStatus
from quantdesk.engines.orders.wire import OrderView

_PAGE: Final = 500
_SIGNATURES: Final = 1_000
_BATCH: Final = 25
_OK: Final = 200
_MEMO: Final = re.compile(r"\bqd:([0-9a-f-]{36}):\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What an audit found; `fills` is None where no chain can be asked."""

    confirmed: int
    fills: int | None
    duplicates: int
    """Orders beyond the one of each promise, and fills beyond the one of each order."""
    lost: int
    """Promised orders that are missing or never end, and confirmed ones without their fill."""
    torn: int
    """Orders whose events are not the versions 1 to n, each once."""
    balances_off: str
    """By how much the wallet differs from what the fills add up to; empty when by nothing."""

    @property
    def ok(self) -> bool:
        """Return whether the books are in order."""
        return not (self.duplicates or self.lost or self.torn or self.balances_off)


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    orders: list[OrderView]
    next_cursor: str | None


class _Balances(msgspec.Struct, frozen=True):
    balances: dict[str, Decimal]


class _Line(msgspec.Struct, frozen=True):
    signature: str
    err: Any
    memo: str | None


class _Meta(msgspec.Struct, frozen=True):
    fee: int


class _Landed(msgspec.Struct, frozen=True):
    meta: _Meta


class Ledger:
    """Reads a running desk's books over HTTP, and its chain's, as any outsider could."""

    def __init__(
        self, *, desk: Mapping[str, Any], key: str, session: aiohttp.ClientSession
    ) -> None:
        self._urls: Mapping[str, str] = desk["urls"]
        self._wallet: str = desk["wallet"]
        self._headers = {"authorization": f"Bearer {key}"}
        self._session = session

    @property
    def has_chain(self) -> bool:
        """Return whether there is a chain to ask."""
        return "rpc" in self._urls

    async def balances(self) -> dict[str, Decimal]:
        """Return what the wallet holds, by symbol."""
        told = await self._get(f"/api/wallets/{self._wallet}/balances")
        return msgspec.json.decode(told, type=_Balances).balances

    async def orders(self) -> list[OrderView]:
        """Return every order, newest first."""
        found: list[OrderView] = []
        cursor: str | None = ""
        while cursor is not None:
            after = f"&cursor={cursor}" if cursor else ""
            told = await self._get(f"/api/orders?limit={_PAGE}{after}")
            page = msgspec.json.decode(told, type=_Page)
            found += page.orders
            cursor = page.next_cursor
        return found

    async def lines(self) -> list[_Line]:
        """Return the wallet's transactions, newest first, those that failed too."""
        found: list[_Line] = []
        while True:
            options: dict[str, Any] = {"limit": _SIGNATURES, "commitment": "confirmed"}
            if found:
                options["before"] = found[-1].signature
            [page] = await self._rpc("getSignaturesForAddress", [[self._wallet, options]])
            lines = msgspec.convert(page, list[_Line])
            found += lines
            if len(lines) < _SIGNATURES:
                return found

    async def fees(self, signatures: Iterable[str]) -> int:
        """Return the lamports that these transactions paid for being taken."""
        options = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
        asked = [[signature, options] for signature in signatures]
        lamports = 0
        for start in range(0, len(asked), _BATCH):
            batch = await self._rpc("getTransaction", asked[start : start + _BATCH])
            lamports += sum(landed.meta.fee for landed in msgspec.convert(batch, list[_Landed]))
        return lamports

    async def _get(self, path: str) -> bytes:
        async with self._session.get(self._urls["api"] + path, headers=self._headers) as answer:
            body = await answer.read()
        if answer.status != _OK:
            raise Unavailable(f"{path} answered {answer.status}", code="audit.unreadable")
        return body

    async def _rpc(self, method: str, asked: list[list[Any]]) -> list[Any]:
        batch = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, params in enumerate(asked)
        ]
        async with self._session.post(self._urls["rpc"], json=batch) as answer:
            told = msgspec.json.decode(await answer.read())
        return [one["result"] for one in sorted(told, key=lambda one: int(one["id"]))]


async def audit(
    ledger: Ledger, *, accepted: Mapping[str, str], opening: Mapping[str, Decimal]
) -> Findings:
    """Compare what was promised (an order by idempotency key) with what is told and what is true.

    `opening` is what the wallet held before the first order. Raises `Unavailable`
    (`audit.unreadable`) when the desk does not show its books.
    """
    orders = await ledger.orders()
    lines = await ledger.lines() if ledger.has_chain else []
    paid = await ledger.fees(line.signature for line in lines) if lines else 0
    held = await ledger.balances() if ledger.has_chain else dict(opening)
    fills = fills_by_order(lines)
    if not ledger.has_chain:
        return judged(orders, accepted, fills=None, off={})
    off = differences(orders, opening=opening, held=held, fees_lamports=paid)
    return judged(orders, accepted, fills=fills, off=off)


def judged(
    orders: list[OrderView],
    accepted: Mapping[str, str],
    *,
    fills: Mapping[str, int] | None,
    off: Mapping[str, Decimal],
) -> Findings:
    """Return the findings on orders told, orders promised, and fills by order. Pure."""
    told = Counter(order.order_id for order in orders)
    promised = Counter(accepted.values())
    missing = sum(1 for order_id in promised if order_id not in told)
    # Two keys may not share an order, nor may there be orders that no key stands for.
    doubled = sum(count - 1 for count in (*told.values(), *promised.values()))
    doubled += sum(1 for order_id in told if order_id not in promised)
    endless = sum(1 for order in orders if order.status in OPEN)
    confirmed = {order.order_id for order in orders if order.status == OrderStatus.CONFIRMED}
    unfilled = 0
    if fills is not None:
        unfilled = sum(1 for order_id in confirmed if not fills.get(order_id))
        doubled += sum(count - (order_id in confirmed) for order_id, count in fills.items())
    return Findings(
        confirmed=len(confirmed),
        fills=None if fills is None else sum(fills.values()),
        duplicates=doubled,
        lost=missing + endless + unfilled,
        torn=sum(1 for order in orders if not _is_whole(order)),
        balances_off=", ".join(f"{amount:+f} {symbol}" for symbol, amount in off.items()),
    )


def fills_by_order(lines: Iterable[_Line]) -> Counter[str]:
    """Return how many transactions of each order succeeded. Pure."""
    memos = (_MEMO.search(line.memo or "") for line in lines if line.err is None)
    return Counter(memo[1] for memo in memos if memo)


def differences(
    orders: Iterable[OrderView],
    *,
    opening: Mapping[str, Decimal],
    held: Mapping[str, Decimal],
    fees_lamports: int,
) -> dict[str, Decimal]:
    """Return what the wallet holds beyond what the orders' fills and the fees explain. Pure."""
    due = {symbol: Decimal(amount) for symbol, amount in opening.items()}
    due["SOL"] -= from_raw(fees_lamports, ASSETS["SOL"].decimals)
    for order in orders:
        if order.filled is not None:
            base, quote = order.pair.split("-")
            sign = 1 if order.direction == "BUY" else -1
            due[base] += sign * Decimal(order.filled.base)
            due[quote] -= sign * Decimal(order.filled.quote)
    return {symbol: held[symbol] - due[symbol] for symbol in due if held[symbol] != due[symbol]}


def _is_whole(order: OrderView) -> bool:
    return [event.version for event in order.logs] == list(range(1, order.version + 1))
