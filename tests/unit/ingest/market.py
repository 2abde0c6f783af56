"""A market made by hand, for the tests of the gate and the board: sources say what they like."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from quantdesk.core.ticks import Frame, Mark, Oracle, Quote, Trade
from quantdesk.ingest.board import Board
from quantdesk.ingest.gate import Gate
from quantdesk.ingest.outliers import PriceEvent
from quantdesk.ingest.rejections import Rejected

NOW_MS = 1_700_000_000_000
NS = 1_000_000


@dataclass
class Market:
    """A gate and a board, all their listeners heard, and a time that the test moves."""

    board: Board = field(default_factory=Board)
    now_ms: int = NOW_MS
    accepted: list[PriceEvent] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    quarantined: list[PriceEvent] = field(default_factory=list)
    confirmed: list[PriceEvent] = field(default_factory=list)
    _ids: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.gate = Gate(self.board)
        for heard in self.gate.accepted.values():
            heard.append(lambda event, _: self.accepted.append(event))
        self.gate.rejected.append(self.rejected.append)
        self.gate.quarantined.append(lambda event, _: self.quarantined.append(event))
        self.gate.confirmed.append(lambda event, _: self.confirmed.append(event))

    @property
    def reasons(self) -> list[str]:
        """Return why messages were not taken, in order."""
        return [rejected.reason for rejected in self.rejected]

    def frame(self, source: str) -> Frame:
        """Return a frame that arrives now, a nanosecond after any other."""
        self._ids["ns"] += 1
        return Frame(source, "ws", self.now_ms * NS + self._ids["ns"], b"raw %d" % self._ids["ns"])

    def take(self, event: PriceEvent, source: str = "binance") -> bool:
        """Give an event to the gate as it arrives now."""
        return self.gate.take(event, self.frame(source))

    def quote(
        self, price: float, symbol: str = "BTC", currency: str = "USDT", *,
        source: str = "binance", after_ms: int = 100,
    ) -> bool:  # fmt: skip
        """Let a book stand around a price, with a spread of 2 bps."""
        self.now_ms += after_ms
        self._ids[source] += 1
        bid, ask = f"{price * 0.9999:.12f}", f"{price * 1.0001:.12f}"
        return self.take(Quote(symbol, currency, bid, "1", ask, "1", self._ids[source]), source)

    def trade(self, price: float, *, number: int, event_ms: int | None = None) -> bool:
        """Let a trade happen; by the exchange's clock now, unless said otherwise."""
        event_ms = self.now_ms if event_ms is None else event_ms
        return self.take(Trade("BTC", "USDT", f"{price:.8f}", "1", number, event_ms))

    def oracle(
        self, price: float, symbol: str = "BTC", *, source: str = "pyth", lag_ms: int = 0,
        confidence: float = 0.0, after_ms: int = 100, order: int = 0,
    ) -> bool:  # fmt: skip
        """Let an oracle speak of dollars; `confidence` is a part of the price."""
        self.now_ms += after_ms
        return self.take(
            Oracle(
                symbol, "USD", round(price * 1e8), round(price * confidence * 1e8), -8,
                self.now_ms - lag_ms, order,
            ), source,
        )  # fmt: skip

    def mark(self, index: float, mark: float, *, after_ms: int = 100) -> bool:
        """Let the futures exchange say its index and its mark."""
        self.now_ms += after_ms
        said = Mark("BTC", "USDT", f"{mark:.8f}", f"{index:.8f}", "0.0001", 0, self.now_ms)
        return self.take(said, "binance.futures")

    def usd(self, symbol: str = "BTC") -> float:
        """Return the board's price."""
        price = self.board.latest(symbol)
        assert price is not None
        return float(price.value)

    def validity(self, symbol: str = "BTC") -> str:
        """Return the name of the validity of the board's price now."""
        return self.board.validity(symbol, now_ms=self.now_ms, age_ms_max=10_000).name


def at_par() -> Market:
    """Return a market whose USDT is a dollar because somebody said so."""
    return Market(Board(assume={"USDT": Decimal(1)}))
