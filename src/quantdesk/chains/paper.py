"""Paper: a chain without keys, blocks or money, for trading at real prices with nothing at stake.

A transaction is its own record: its bytes say what was filled, so nothing is lost when the desk
restarts, and bytes sent twice are the same fill. There is no signer here and no way to get one.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from quantdesk.chains.port import (
    Fate,
    Instruction,
    Receipt,
    Sighting,
    Simulation,
    Trade,
    Transaction,
)
from quantdesk.core.assets import Asset
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.core.markets import Side

PROGRAM: Final = "paper"
_SENT_MAX: Final = 200_000
_MS: Final = 1000
_LOOKS: Final = 8  # per latency
_NEVER: Final = (1 << 63) - 1  # no block height ends its validity
_NOTHING: Final = Simulation(slot=0, compute_units=0, logs=())


class _Fill(msgspec.Struct, frozen=True):
    base_raw: int
    quote_raw: int


_FILL: Final = msgspec.json.Decoder(_Fill)
_UNSEEN: Final = Sighting(Fate.UNSEEN)
_LANDED: Final = Sighting(Fate.LANDED, 0)


class Paper:
    """A chain that lands everything `latency_ms` after it was first sent.

    `book` is what `balances` answers, in base units by symbol; fills do not change it.
    """

    def __init__(self, *, clock: Clock, latency_ms: int, book: Mapping[str, int]) -> None:
        assert latency_ms >= 0
        self._clock = clock
        self._latency_ms = latency_ms
        self._book = dict(book)
        self._landing: dict[str, int] = {}

    @property
    def poll_s(self) -> float:
        """Return the seconds between looks at transactions in flight."""
        return self._latency_ms / _MS / _LOOKS

    async def prepare(self, trade: Trade, instructions: Sequence[Instruction]) -> Transaction:
        """Return the paper venue's fill as bytes.

        Raises `Unavailable` (`slippage.exceeded`) when the fill breaks the trade's limit, and
        `Refused` (`simulation.failed`) for anything but one fill of the trade's size.
        """
        if len(instructions) != 1 or instructions[0].program != PROGRAM:
            raise Refused("only the paper venue trades on paper", code="simulation.failed")
        data = instructions[0].data
        fill = _read(data)
        if fill is None or fill.base_raw != trade.base_raw:
            raise Refused("this is no fill of the trade's size", code="simulation.failed")
        quote, limit = fill.quote_raw, trade.quote_limit_raw
        if quote > limit if trade.side is Side.BUY else quote < limit:
            raise Unavailable("The price moved past the limit.", code="slippage.exceeded")
        raw = data + b"\n" + trade.memo.encode()
        return Transaction(raw, f"paper-{sha256(raw).hexdigest()}", _NEVER, _NOTHING)

    async def send(self, transaction: Transaction) -> None:
        """Start the latency of bytes not sent before."""
        landing = self._landing
        if transaction.signature not in landing:
            if len(landing) >= _SENT_MAX:  # the oldest; if still open it will be sent again
                del landing[next(iter(landing))]
            landing[transaction.signature] = self._clock.now_ms() + self._latency_ms

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Return LANDED for what was sent long enough ago, UNSEEN for all else."""
        now, landing = self._clock.now_ms(), self._landing
        return [
            _LANDED if landing.get(transaction.signature, _NEVER) <= now else _UNSEEN
            for transaction in transactions
        ]

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:  # noqa: ARG002 the bytes know
        """Return what the bytes say was filled; raise `Corrupt` when they say nothing."""
        fill = _read(transaction.raw.partition(b"\n")[0])
        if fill is None:
            raise Corrupt(f"{transaction.signature} holds no fill", code="receipt.unreadable")
        landed_ms = self._landing.get(transaction.signature) or self._clock.now_ms()
        return Receipt(0, fill.base_raw, fill.quote_raw, 0, landed_ms)

    async def balances(self, assets: Sequence[Asset]) -> dict[str, int]:
        """Return the book it was made with, zero for what is not in it."""
        return {asset.symbol: self._book.get(asset.symbol, 0) for asset in assets}


def _read(data: bytes) -> _Fill | None:
    try:
        return _FILL.decode(data)
    except msgspec.DecodeError:
        return None
