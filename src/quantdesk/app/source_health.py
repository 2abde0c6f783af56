"""How the sources of a desk are doing, as `/api/sources`, its channel and metrics tell it."""

from collections.abc import Iterator, Mapping
from typing import Final

from quantdesk.api.sources import SourceHealth
from quantdesk.app.feeding import Feeding
from quantdesk.ingest.collect import Collector
from quantdesk.ingest.feeds import Feed

SILENT_MS: Final = 10_000
"""A source that sent nothing for this long is silent, and said to be."""
_NS_PER_MS: Final = 1_000_000


def health(feeding: Feeding, *, now_ms: int) -> list[SourceHealth]:
    """Return how each source is doing; a recording is told by those who sent it."""
    prices = [one for each in feeding.collectors for one in _of(feeding, each, now_ms)]
    return prices + [one for each in feeding.news_collectors for one in _of(feeding, each, now_ms)]


def _of(feeding: Feeding, collector: Collector, now_ms: int) -> Iterator[SourceHealth]:
    market, source = feeding.market, collector.source
    problem = collector.problem.detail if collector.problem else getattr(source, "problem", None)
    names = feeding.names(collector)
    speaking = [name for name in names if market.flow.sources[name].frames] or names[:1]
    counts: Mapping[str, int] = getattr(source, "counts", {})
    for name in speaking:
        passage = market.flow.sources[name]
        age_ms = max(0, now_ms - passage.received_ns // _NS_PER_MS) if passage.frames else None
        feeds = [feed for feed in market.gate.feeds() if feed.source == name]
        yield SourceHealth(
            name=name,
            state=_state(collector, age_ms, speaks=collector in feeding.collectors),
            age_ms=age_ms,
            messages=passage.frames,
            unreadable=passage.unreadable,
            rejected=market.gate.rejections.of(name),
            offset_ms=_offset_ms(feeds),
            reconnects=counts.get("reconnects", 0),
            problem=problem or None,
        )


def _state(collector: Collector, age_ms: int | None, *, speaks: bool) -> str:
    """Return how a source is; news may be silent for hours and be well."""
    if collector.problem is not None:
        return "away"
    if collector.ended:
        return "ended"
    return "live" if not speaks or (age_ms is not None and age_ms <= SILENT_MS) else "silent"


def _offset_ms(feeds: list[Feed]) -> int | None:
    known = [feed.clock.offset_ms for feed in feeds if not feed.clock.replayed]
    return next((offset_ms for offset_ms in known if offset_ms is not None), None)
