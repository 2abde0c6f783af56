"""A connection that is kept alive: watched, replaced before its time is up, made anew after a fall.

    open → watch ─ ended, silent ──────────────────→ close → wait (back-off) → open
                 └ planned, told to (`restart`) → open another → both speak → close the first

While both speak every message comes twice: whoever hears them drops the second by its id.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.breaker import Breaker
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.sources.limits import Declined

log = structlog.get_logger()


class Connection(Protocol):
    """What can be watched: a WebSocket (`sources/socket.py`), or whatever else speaks and ends."""

    @property
    def heard(self) -> int:
        """Return how many messages came."""

    async def over(self, *, seconds: float, clock: Clock) -> str:
        """Return why it is over, "" when it still stands after that many seconds."""

    def close(self) -> None:
        """Say goodbye and close; nothing more is heard."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection is put up with, in seconds."""

    silence_s: float = 30.0
    """One that says nothing for that long is dropped."""
    life_s: float = 23 * 3600.0
    """One that is so old is replaced: exchanges cut after a day, at a moment of their own."""
    overlap_s: float = 2.0
    """The old one stays that long beside the new one, and until that one speaks."""
    look_s: float = 0.25


PATIENCE: Final = Patience()

Open = Callable[[], Awaitable[Connection]]


class Reconnecting:
    """One connection of a source. `opened` is called whenever what came before may have a gap.

    `counts` (shared by a source's connections) gains connects, reconnects, renewals, silences,
    failures. `breaker` is shared too: what all of them fail at is asked more rarely.
    """

    def __init__(
        self,
        *,
        name: str,
        open_one: Open,
        opened: Callable[[], None],
        care: "Care",
        patience: Patience = PATIENCE,
    ) -> None:
        self._name = name
        self._open = open_one
        self._opened = opened
        self._care = care
        self._patience = patience
        self._clock = care.clock
        self._backoff = Backoff(care.chance)
        self._live: Connection | None = None
        self._born_s = 0.0
        self._told = False

    def restart(self) -> None:
        """Open another connection at the next look and let this one go: the server said so."""
        self._told = True

    async def run(self) -> None:
        """Keep it alive until cancelled. Raises `Declined` once refused for good."""
        try:
            while True:
                await self._replace()
                await self._watch()
        finally:
            if self._live is not None:
                self._live.close()

    async def _replace(self) -> None:
        """Return with a live connection; the one before stands until the new one spoke."""
        while (fresh := await self._tried_or_waited()) is None:
            pass
        self._told = False
        self._care.counts["connects"] += 1
        before, self._live, self._born_s = self._live, fresh, self._clock.monotonic()
        if before is None:
            self._opened()
            return
        try:
            if await before.over(seconds=0, clock=self._clock):
                self._opened()  # it fell while the new one was opened: something was missed
            else:
                self._care.counts["renewals"] += 1
                await self._overlap(fresh)
        finally:
            before.close()

    async def _tried_or_waited(self) -> Connection | None:
        try:
            return await self._tried()
        except Unavailable as problem:
            await self._wait_after(problem)
            return None

    async def _tried(self) -> Connection:
        care = self._care
        while (wait_s := care.breaker.wait_s(self._clock.monotonic())) > 0:
            await self._pause(wait_s)
        try:
            fresh = await self._open()
        except Unavailable:
            care.breaker.failed(self._clock.monotonic())
            raise
        except BaseException:
            care.breaker.abandoned()
            raise
        care.breaker.succeeded()
        return fresh

    async def _wait_after(self, problem: Unavailable) -> None:
        self._care.counts["failures"] += 1
        wait_s = self._backoff.failed()
        if isinstance(problem, Declined):
            if problem.lasting:
                raise problem
            wait_s = max(wait_s, problem.wait_s)
        log.warning(
            "source.unavailable", source=self._name, code=problem.code,
            detail=problem.detail, retry_s=round(wait_s, 1),
        )  # fmt: skip
        await self._pause(wait_s)

    async def _pause(self, seconds: float) -> None:
        """Wait; the connection that still stands is let go as soon as it ends."""
        if self._live is None:
            await self._clock.sleep(seconds)
            return
        until_s = self._clock.monotonic() + seconds
        why = await self._live.over(seconds=seconds, clock=self._clock)
        if why:
            self._dropped(why)
            await self._clock.sleep(until_s - self._clock.monotonic())

    async def _overlap(self, fresh: Connection) -> None:
        end_s = self._clock.monotonic() + self._patience.silence_s
        await self._clock.sleep(self._patience.overlap_s)
        while not fresh.heard and self._clock.monotonic() < end_s:
            await self._clock.sleep(self._patience.look_s)

    async def _watch(self) -> None:
        """Return when another connection is due; `_live` is None where this one is gone."""
        live, patience = self._live, self._patience
        assert live is not None, "there is something to watch"
        heard, heard_s = live.heard, self._clock.monotonic()
        while not self._told:
            why = await live.over(seconds=patience.look_s, clock=self._clock)
            now_s = self._clock.monotonic()
            if live.heard != heard:
                heard, heard_s = live.heard, now_s
            elif not why and now_s - heard_s >= patience.silence_s:
                self._care.counts["silences"] += 1
                why = f"silent for {now_s - heard_s:.0f} s"
            if why:
                lived_s = now_s - self._born_s
                self._dropped(why)
                await self._clock.sleep(self._backoff.failed(lived_s=lived_s))
                return
            if now_s - self._born_s >= patience.life_s:
                return

    def _dropped(self, why: str) -> None:
        assert self._live is not None, "it was there to end"
        self._live.close()
        self._live = None
        self._care.counts["reconnects"] += 1
        log.warning("source.disconnected", source=self._name, why=why)


@dataclass(frozen=True, slots=True)
class Care:
    """What a source's connections share."""

    clock: Clock
    chance: Chance
    counts: Counter[str]
    breaker: Breaker
