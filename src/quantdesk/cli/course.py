"""The course of an asset's price in a recording: what was accepted, what was not, who agreed. Pure.

A recording is replayed as the desk would have taken it; what is kept of it is bounded, however long
it is: neighboring moments are folded into one, with their lowest and highest price.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.ticks import Event, Frame, Mark, Oracle, Quote, Trade
from quantdesk.ingest.board import Board
from quantdesk.ingest.feeds import exact
from quantdesk.ingest.flow import Read
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.rejections import Rejected
from quantdesk.ingest.replay import Replay

MOMENTS_MAX = 4_000
REFUSED_MAX = 5_000
"""Refused prices kept to be drawn; the counts know of all."""
_FINEST_MS = 100
_AGREEMENT_MS = 1_000
PRICED = (Quote, Trade, Oracle, Mark)


class Moment(NamedTuple):
    """A stretch of time that is drawn as one, and the prices in it."""

    at_ms: int
    low: float
    high: float
    last: float


class Line:
    """Prices over time, folded so that there are never more than `MOMENTS_MAX` moments."""

    def __init__(self) -> None:
        self._width_ms = _FINEST_MS
        self._moments: dict[int, Moment] = {}

    def add(self, at_ms: int, price: float) -> None:
        """Add a price at a time in Unix milliseconds."""
        self._fold(Moment(at_ms, price, price, price))
        if len(self._moments) > MOMENTS_MAX:
            self._width_ms *= 2
            finer, self._moments = self._moments, {}
            for moment in finer.values():
                self._fold(moment)

    def moments(self) -> list[Moment]:
        """Return what was added, in the order of time."""
        return sorted(self._moments.values())

    def _fold(self, one: Moment) -> None:
        at_ms = one.at_ms - one.at_ms % self._width_ms
        other = self._moments.get(at_ms)
        if other is not None:
            one = Moment(at_ms, min(one.low, other.low), max(one.high, other.high), one.last)
        self._moments[at_ms] = one._replace(at_ms=at_ms)


class RefusedPrice(NamedTuple):
    """A price that was not taken, or held back, and why."""

    at_ms: int
    price: float
    reason: str


@dataclass
class Course:
    """What a recording says of one asset.

    `lines` are accepted prices by "source currency", `refused` those that were not taken, `counts`
    how many by reason, `agreement` how far sources were apart, in basis points. `said` counts all.
    """

    symbol: str
    said: int = 0
    lines: dict[str, Line] = field(default_factory=dict)
    refused: list[RefusedPrice] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    agreement: Line = field(default_factory=Line)

    def accept(self, line: str, at_ms: int, price: float) -> None:
        """Note a price that was taken."""
        self.said += 1
        self.lines.setdefault(line, Line()).add(at_ms, price)

    def refuse(self, at_ms: int, price: float, reason: str) -> None:
        """Note a price that was not taken."""
        self.said += 1
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if len(self.refused) < REFUSED_MAX:
            self.refused.append(RefusedPrice(at_ms, price, reason))


class Courses:
    """Follows every asset while a recording is replayed."""

    def __init__(self, readers: Mapping[str, Read]) -> None:
        self._readers = readers
        self._courses: dict[str, Course] = {}
        self._board = Board()
        self._asked_ms = 0
        market = MarketData(readers, board=self._board, resync=lambda _source, _symbol: None)
        for heard in market.gate.accepted.values():
            heard.append(self._accepted)
        market.gate.quarantined.append(self._held)
        market.gate.rejected.append(self._rejected)
        market.silent.append(lambda _feed, now_ms: self._compare(now_ms))
        self._replay = Replay(market.flow)

    def follow(self, frames: Iterable[Frame]) -> None:
        """Replay frames, asking once a second of their time how far sources are apart."""
        for frame in frames:
            self._replay.take(frame)
            if frame.received_ms - self._asked_ms >= _AGREEMENT_MS:
                self._compare(frame.received_ms)
        self._replay.end()

    def of(self, symbol: str | None) -> Course:
        """Return the course of an asset, of the one most was said about if none is named.

        Raises `Refused` (`symbol.unknown`) when nothing was said about it.
        """
        told = sorted(self._courses.values(), key=lambda one: (-one.said, one.symbol))
        if symbol is None and told:
            return told[0]
        for course in told:
            if course.symbol == symbol:
                return course
        known = ", ".join(course.symbol for course in told) or "no asset"
        raise Refused(
            f"nothing there prices {symbol or 'anything'}; there is {known}", code="symbol.unknown"
        )

    def _accepted(self, event: Event, frame: Frame) -> None:
        assert isinstance(event, PRICED), "the gate takes prices only"
        line = f"{frame.source} {event.currency}"
        self._course(event.symbol).accept(line, frame.received_ms, float(exact(event)))

    def _held(self, event: Event, frame: Frame) -> None:
        assert isinstance(event, PRICED), "the gate takes prices only"
        self._course(event.symbol).refuse(frame.received_ms, float(exact(event)), "quarantined")

    def _rejected(self, rejected: Rejected) -> None:
        course = self._course(rejected.symbol)
        for price in self._prices(rejected):
            course.refuse(rejected.frame.received_ms, price, rejected.reason)

    def _prices(self, rejected: Rejected) -> Iterable[float]:
        frame = rejected.frame
        for event in self._readers[frame.source](frame):
            if isinstance(event, PRICED) and event.symbol == rejected.symbol:
                try:
                    yield float(exact(event))
                except (ArithmeticError, ValueError, Corrupt):
                    continue  # that is why it was rejected

    def _compare(self, now_ms: int) -> None:
        self._asked_ms = now_ms
        for course in self._courses.values():
            price = self._board.latest(course.symbol)
            if price is not None and price.agreement_bps is not None:
                course.agreement.add(now_ms, price.agreement_bps)

    def _course(self, symbol: str) -> Course:
        course = self._courses.get(symbol)
        if course is None:
            course = self._courses[symbol] = Course(symbol)
        return course
