"""Provenance: where a price came from, ready for evidence, and the messages that it names."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

from quantdesk.core.clock import iso
from quantdesk.core.prices import Price
from quantdesk.core.ticks import Frame
from quantdesk.ingest.rules import EVENT_MS_MAX

KEPT_MAX: Final = 1_024
"""Messages that are kept after a newer one came, because somebody was told of them."""


def provenance(price: Price) -> dict[str, Any]:
    """Return all that is known of a price except its age and what follows from that.

    Value and confidence are US dollars as decimal strings, times ISO-8601 UTC, agreement basis
    points between the outermost sources, None of a single one.
    """
    apart = price.agreement_bps
    return {
        "symbol": price.reading.symbol,
        "source": price.reading.source,
        "value": f"{price.value.normalize():f}",
        "confidence": f"{price.reading.confidence.normalize():f}",
        "publishedAt": iso(max(0, min(price.reading.published_ms, EVENT_MS_MAX))),
        "receivedAt": iso(price.received_ms),
        "agreementBps": None if apart is None else f"{apart:.2f}",
        "sources": list(price.sources),
        "rawIds": list(price.raw_ids),
    }


class Kept:
    """The messages behind prices that were told, the latest `KEPT_MAX`."""

    def __init__(self) -> None:
        self._frames: OrderedDict[str, Frame] = OrderedDict()

    def keep(self, raw_ids: Iterable[str], frames: Iterable[Frame]) -> None:
        """Keep these for a while, by their names."""
        for raw_id, frame in zip(raw_ids, frames, strict=True):
            self._frames[raw_id] = frame
            self._frames.move_to_end(raw_id)
        while len(self._frames) > KEPT_MAX:
            self._frames.popitem(last=False)

    def frame(self, raw_id: str) -> Frame | None:
        """Return a message by its name, None when it was never told or was forgotten."""
        return self._frames.get(raw_id)
