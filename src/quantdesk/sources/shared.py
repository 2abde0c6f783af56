"""Shared market data: the frames that an ingest process hears, as it heard them.

    window of the last minutes → parcels → frames, by the names of their senders → the same readers

A desk that joins takes what is kept at full speed, so that its gate and candles have a past, and
lives on. Frames keep the nanosecond at which they reached the ingest process: nothing gets younger
on the way. Where frames are missing, or a desk cannot keep up and is moved forward to now, that is
a gap, and told.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from typing import Final

import structlog

from quantdesk.bus.continuity import Continuity
from quantdesk.bus.port import Letter, Window
from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.core.ticks import Event, Frame, Headline
from quantdesk.sources.parcels import Parcel, unpack
from quantdesk.sources.port import Take
from quantdesk.sources.readers import READERS

log = structlog.get_logger()

PLAYED: Final = "recorded."
NAMES: Final = frozenset(before + name for name in READERS for before in ("", PLAYED))
"""The sources whose frames can be read, and what a recording calls them."""
SILENT_S: Final = 5.0
"""An ingest process says at least once a second that it lives."""
BEHIND_MAX: Final = 500
"""Parcels that may wait for a desk that has joined: some seconds of a busy market."""
JOIN_S_MAX: Final = 20.0
SKEW_MS_MAX: Final = 250
"""So far ahead of ours the clock of an ingest process may be."""
_LONGEST_S: Final = 5.0
_NS_PER_MS: Final = 1_000_000


class Shared:
    """The source of a desk that leaves listening to others.

    `counts` holds parcels, frames, gaps, missing (frames known to be), conflated (times it was
    moved forward), unreal (frames of sources that are not allowed here), outdated (frames of an
    ingest process that another has replaced) and unreadable. `joined` is whether what was kept has
    been taken.
    """

    name = "shared"

    def __init__(
        self,
        window: Window,
        *,
        clock: Clock,
        chance: Chance,
        only: Collection[str] | None = None,
        behind_max: int = BEHIND_MAX,
    ) -> None:
        """`only` are the sources that may speak here."""
        self._window = window
        self._clock = clock
        self._backoff = Backoff(chance, longest_s=_LONGEST_S)
        self._behind_max = behind_max
        self._allowed = NAMES if only is None else NAMES & frozenset(only)
        self._wanted: frozenset[str] = frozenset()
        self._life = ""
        self._began_ns = 0
        self._continuity = Continuity()
        self._heard_s: float | None = None
        self._ahead_ms = 0
        self._away = ""
        self._joined = asyncio.Event()
        self.gaps: list[Callable[[int], object]] = []
        """Told of every gap, and when (Unix milliseconds)."""
        self.counts: Counter[str] = Counter()

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        """Hand over what is shared until cancelled, whatever becomes of NATS."""
        self._wanted = frozenset(symbols)
        skip = False
        while True:
            began_s = self._clock.monotonic()
            try:
                skip = await self._follow(take, skip=skip)
            except Unavailable as problem:
                self._away = problem.detail
                wait_s = self._backoff.failed(lived_s=self._clock.monotonic() - began_s)
                log.warning("source.unavailable", source=self.name, detail=problem.detail)
                await self._clock.sleep(wait_s)

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return what a frame says, read as its sender's are; raise `Corrupt`."""
        wanted, events = self._wanted, READERS[frame.source.removeprefix(PLAYED)](frame)
        return [event for event in events if isinstance(event, Headline) or event.symbol in wanted]

    @property
    def joined(self) -> bool:
        """Return whether frames are of now, or were: what was kept is taken."""
        return self._joined.is_set()

    async def has_joined(self) -> None:
        """Return once what was kept is taken."""
        await self._joined.wait()

    @property
    def problem(self) -> str | None:
        """Return why nothing comes, or what is wrong with it; None while all is well."""
        if self._heard_s is None:
            return self._away or "no ingest process has been heard: start `quantdesk run ingest`"
        silent_s = self._clock.monotonic() - self._heard_s
        if silent_s <= SILENT_S:
            return self._skewed()
        return f"the ingest process has been silent for {silent_s:.0f} s. {self._away}".strip()

    def _skewed(self) -> str | None:
        """Return a problem where prices would look younger than they are; older harms nobody."""
        if self._ahead_ms <= SKEW_MS_MAX:
            return None
        return (
            f"the clock of the ingest process is {self._ahead_ms} ms ahead of ours, so prices look "
            "younger than they are: set both by NTP"
        )

    async def _follow(self, take: Take, *, skip: bool) -> bool:
        """Take what comes; return True where it comes too fast, to go on with what is next."""
        until_s = self._clock.monotonic() + JOIN_S_MAX
        async with aclosing(self._window.follow(skip=skip)) as letters:
            async for letter in letters:
                self._away = ""
                self._open(letter, take)
                if not letter.waiting or self._clock.monotonic() > until_s:
                    self._joined.set()
                if self.joined and letter.waiting > self._behind_max:
                    self.counts["conflated"] += 1
                    log.warning("shared.conflated", parcels=letter.waiting)
                    return True
                await asyncio.sleep(0)  # others run too while the past is taken
        return False

    def _open(self, letter: Letter, take: Take) -> None:
        try:
            parcel = unpack(letter.body)
        except Corrupt as problem:
            self.counts["unreadable"] += 1
            log.warning("shared.unreadable", detail=problem.detail)
            return
        if not self._is_of_now(parcel):
            self.counts["outdated"] += len(parcel.rows)
            return
        self._heard_s = self._clock.monotonic()
        self._ahead_ms = (parcel.sent_ns - self._clock.now_ns()) // _NS_PER_MS
        self.counts["parcels"] += 1
        self._continue(parcel, take)

    def _is_of_now(self, parcel: Parcel) -> bool:
        """Say whether its process is the one to believe: of two, the one that began last."""
        if parcel.life == self._life:
            return True
        heard_s = self._heard_s
        silent = heard_s is None or self._clock.monotonic() - heard_s > SILENT_S
        if parcel.began_ns < self._began_ns and not silent:
            return False
        if self._life:
            self._missed(parcel, parcel.first)
        self._life, self._began_ns = parcel.life, parcel.began_ns
        self._continuity = Continuity()
        return True

    def _continue(self, parcel: Parcel, take: Take) -> None:
        step = self._continuity.take(parcel.first, len(parcel.rows))
        if step.missing:
            self._missed(parcel, step.missing)
        for frame in parcel.frames(step.known):
            if not frame.data:  # it was too large to share
                self._missed(parcel, 1)
            elif frame.source not in self._allowed:
                self.counts["unreal"] += 1
            else:
                self.counts["frames"] += 1
                take(frame)

    def _missed(self, parcel: Parcel, count: int) -> None:
        self.counts["gaps"] += 1
        self.counts["missing"] += count
        log.warning("shared.gap", frames=count)
        for tell in self.gaps:
            tell(parcel.sent_ns // _NS_PER_MS)
