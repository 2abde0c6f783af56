"""What waits for the store: bounded, the newest of it kept, and what had to go remembered as gaps.

Pure. Ticks queue; of a candle only the latest word waits. A gap grows while more of the same is
lost, so that a minute without a database is one row per market and not a thousand.
"""

from collections import Counter, deque
from itertools import islice
from typing import Final, TypeVar

from quantdesk.core.candles import Candle
from quantdesk.ingest.store.model import Batch, Gap, GapKind, Market, Tick

TICKS_MAX: Final = 200_000
CANDLES_MAX: Final = 50_000
GAPS_MAX: Final = 20_000
BATCH_TICKS: Final = 10_000
BATCH_CANDLES: Final = 2_000
BATCH_GAPS: Final = 1_000
BATCH_ROWS: Final = BATCH_TICKS + BATCH_CANDLES + BATCH_GAPS
_NS_PER_MS: Final = 1_000_000

K = TypeVar("K")
V = TypeVar("V")
_GapKey = tuple[GapKind, Market, str, str]
_CandleKey = tuple[str, str, str, str, int]


class Waiting:
    """Ticks, candles and gaps in the order they came; `counts` what was `lost` of each kind."""

    def __init__(self, *, ticks_max: int = TICKS_MAX, candles_max: int = CANDLES_MAX) -> None:
        self._ticks_max = ticks_max
        self._candles_max = candles_max
        self._ticks: deque[Tick] = deque()
        self._candles: dict[_CandleKey, Candle] = {}
        self._gaps: dict[_GapKey, Gap] = {}
        self.counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._ticks) + len(self._candles) + len(self._gaps)

    def tick(self, tick: Tick) -> None:
        """Add a tick; past the bound the oldest is lost."""
        self._ticks.append(tick)
        if len(self._ticks) > self._ticks_max:
            self.lose_tick(self._ticks.popleft(), "overflow")

    def candle(self, candle: Candle) -> None:
        """Add a candle, or a later word on one; past the bound the oldest is lost."""
        of = (candle.source, candle.symbol, candle.currency, candle.interval, candle.open_ms)
        self._candles[of] = candle
        if len(self._candles) > self._candles_max:
            self.lose_candle(self._candles.pop(next(iter(self._candles))), "overflow")

    def gap(self, gap: Gap) -> None:
        """Add what is missing; it joins one that waits and is of the same kind and reason."""
        of = (gap.kind, gap.market, gap.interval, gap.reason)
        known = self._gaps.get(of)
        if known is None and len(self._gaps) >= GAPS_MAX:
            self.counts["gaps"] += 1
            return
        self._gaps[of] = gap if known is None else _joined(known, gap)

    def lose_tick(self, tick: Tick, reason: str) -> None:
        """Remember that a tick is not stored."""
        self.counts["ticks"] += 1
        at_ms = tick.received_ns // _NS_PER_MS
        self.gap(Gap("ticks", *tick.market, "", at_ms, at_ms + 1, 1, reason, "lost"))

    def lose_candle(self, candle: Candle, reason: str) -> None:
        """Remember that a candle is not stored; it can be asked for again."""
        self.counts["candles"] += 1
        market = (candle.source, candle.symbol, candle.currency)
        end_ms = candle.close_ms + 1
        self.gap(Gap("candles", *market, candle.interval, candle.open_ms, end_ms, 1, reason))

    def batch(self, number: int, *, rows_max: int) -> Batch | None:
        """Take out what is to be stored next; None when nothing waits."""
        ticks, room = self._ticks, rows_max
        some = [ticks.popleft() for _ in range(min(len(ticks), BATCH_TICKS, room))]
        candles = _taken(self._candles, min(BATCH_CANDLES, room - len(some)))
        gaps = _taken(self._gaps, min(BATCH_GAPS, room - len(some) - len(candles)))
        batch = Batch(number, some, candles, gaps)
        return batch if batch.rows else None

    def put_back(self, batch: Batch) -> None:
        """Let a batch wait again, before what came since; a later word on a candle stays."""
        self._ticks.extendleft(reversed(batch.ticks))
        newer, self._candles = self._candles, {}
        for candle in batch.candles:
            self.candle(candle)
        for candle in newer.values():
            self.candle(candle)
        for gap in batch.gaps:
            self.gap(gap)


def _taken(waiting: dict[K, V], count: int) -> list[V]:
    keys = list(islice(waiting, count))
    return [waiting.pop(key) for key in keys]


def _joined(one: Gap, other: Gap) -> Gap:
    begin_ms, end_ms = min(one.from_ms, other.from_ms), max(one.to_ms, other.to_ms)
    return Gap(
        one.kind, *one.market, one.interval, begin_ms, end_ms, one.count + other.count,
        one.reason, one.fate,
    )  # fmt: skip
