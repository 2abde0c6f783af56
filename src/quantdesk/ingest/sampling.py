"""Sampling: the latest price of every feed that changed, a few times a second, for the store.

Reads what the gate keeps (`feeds.py`) instead of listening to it: a message costs nothing here,
however many there are.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from quantdesk.core.clock import Clock
from quantdesk.ingest.feeds import Feed
from quantdesk.ingest.store.model import Tick

EVERY_S: Final = 0.25
_AT_ONCE: Final = 32
"""Feeds looked at before the event loop has its turn."""
_NS_PER_MS: Final = 1_000_000


class Sampler:
    """Hands `take` a tick of each feed with a new price, every `every_s` at most.

    `counts` how many ticks it made.
    """

    def __init__(
        self,
        feeds: Callable[[], Iterable[Feed]],
        take: Callable[[Tick], object],
        *,
        clock: Clock,
        every_s: float = EVERY_S,
    ) -> None:
        self._feeds = feeds
        self._take = take
        self._clock = clock
        self._every_s = every_s
        self._seen: dict[Feed, int] = {}
        self.count = 0

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            await self._clock.sleep(self._every_s)
            await self.sample()

    async def sample(self) -> None:
        """Look at every feed once, letting others have their turn in between."""
        for number, feed in enumerate(tuple(self._feeds()), 1):
            if feed.ticks != self._seen.get(feed, 0):
                self._seen[feed] = feed.ticks
                self._take(tick_of(feed))
                self.count += 1
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)


def tick_of(feed: Feed) -> Tick:
    """Return a feed's last price, which it must have, as it is stored."""
    assert feed.event is not None, "a feed that ticked has an event"
    frame = feed.frame
    return Tick(
        source=feed.source,
        symbol=feed.symbol,
        currency=feed.currency,
        kind=type(feed.event).__name__.lower(),
        event_ms=feed.event_ms,
        received_ns=feed.taken_ms * _NS_PER_MS if frame is None else frame.received_ns,
        price=feed.value,
        confidence=feed.confidence,
        validity=int(feed.validity()),
        is_raw=frame is not None,
    )
