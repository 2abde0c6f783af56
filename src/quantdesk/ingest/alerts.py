"""Alerts: what is the matter with market data, since when, and what was the matter before.

    conditions (`watch`), once a second → alerts: begun and ended, with patience → log, hub, REST

A condition becomes an alert when it has held for as long as its kind asks for, and ends when it has
been gone for as long: what comes and goes is one alert, not fifty. Pure: time comes in.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec
import structlog

log = structlog.get_logger()

CURRENT_MAX: Final = 500
"""Alerts at a time; further ones are counted (`untold`), and begin once there is room."""
RECENT_MAX: Final = 200
"""Ended alerts that are remembered, the latest."""


class AlertKind(StrEnum):
    """What can be the matter."""

    SILENT = "feed.silent"
    BOOK = "book.unsynced"
    CANDLE = "candle.mismatch"
    DISAGREES = "price.disagreement"
    AWAY = "source.away"
    SKEWED = "clock.skewed"
    RECORDER = "recording.stopped"


class Patience(NamedTuple):
    """How long a condition holds before it is an alert, and is gone before the alert ends."""

    begin_ms: int
    end_ms: int


PATIENCE: Mapping[AlertKind, Patience] = MappingProxyType(
    {
        AlertKind.SILENT: Patience(3_000, 10_000),
        AlertKind.BOOK: Patience(10_000, 30_000),
        AlertKind.CANDLE: Patience(0, 900_000),
        AlertKind.DISAGREES: Patience(3_000, 10_000),
        AlertKind.AWAY: Patience(0, 10_000),
        AlertKind.SKEWED: Patience(10_000, 60_000),
        AlertKind.RECORDER: Patience(0, 10_000),
    }
)


class About(msgspec.Struct, frozen=True):
    """What an alert is about; no symbol means the whole source, no source the desk."""

    kind: AlertKind
    source: str = ""
    symbol: str = ""
    currency: str = ""


class Alert(msgspec.Struct, frozen=True):
    """Something was or is the matter.

    `id` rises with each alert of this start of the desk. `times` counts how often it was noted anew
    while it stood. `ended_ms` is when it was last seen to hold, None as long as the alert stands.
    """

    id: int
    about: About
    detail: str
    begun_ms: int
    times: int = 1
    ended_ms: int | None = None


class _Held:
    """A condition that holds, or did a moment ago."""

    __slots__ = ("alert", "seen_ms", "since_ms")

    def __init__(self, now_ms: int) -> None:
        self.since_ms = self.seen_ms = now_ms
        self.alert: Alert | None = None


class Alerts:
    """The alerts that stand and the latest that ended; `begun` counts all by kind.

    `untold` says how many more conditions there was no room for when it was looked last.

    A condition is told either by `look`, which is given all that hold, or by `note` where it is an
    event that is worth an alert at once, however short it was.
    """

    def __init__(self) -> None:
        self._held: dict[About, _Held] = {}
        self._standing: dict[About, _Held] = {}
        self._recent: deque[Alert] = deque(maxlen=RECENT_MAX)
        self._listeners: list[Callable[[Alert], object]] = []
        self._last_id = 0
        self.begun: Counter[AlertKind] = Counter()
        self.untold = 0

    def on_change(self, listener: Callable[[Alert], object]) -> None:
        """Call this with each alert that begins, and again when it ends."""
        self._listeners.append(listener)

    def current(self) -> list[Alert]:
        """Return the alerts that stand, the latest first."""
        standing = [held.alert for held in self._standing.values() if held.alert is not None]
        return sorted(standing, key=lambda alert: -alert.id)

    def recent(self) -> list[Alert]:
        """Return the latest alerts that ended, the last to end first."""
        return list(reversed(self._recent))

    def stands(self, about: About) -> bool:
        """Return whether there is an alert about this now."""
        return about in self._standing

    def note(self, about: About, detail: str, *, now_ms: int) -> None:
        """Let an alert begin at once, or count once more what already stands."""
        held = self._hold(about, now_ms)
        if held.alert is not None:
            held.alert = msgspec.structs.replace(
                held.alert, detail=detail, times=held.alert.times + 1
            )
        else:
            self._begin(about, held, detail)

    def look(self, now_ms: int, holding: Mapping[About, str]) -> None:
        """Begin and end alerts; `holding` are all conditions that hold now, and what to say."""
        self.untold = 0
        for about, detail in holding.items():
            held = self._hold(about, now_ms)
            lasted_ms = now_ms - held.since_ms
            if held.alert is None and lasted_ms >= PATIENCE[about.kind].begin_ms:
                self._begin(about, held, detail)
        for about, held in [item for item in self._held.items() if item[0] not in holding]:
            if held.alert is None:
                del self._held[about]
            elif now_ms - held.seen_ms >= PATIENCE[about.kind].end_ms:
                del self._held[about]
                self._end(about, held, held.alert)

    def _hold(self, about: About, now_ms: int) -> _Held:
        held = self._held.get(about)
        if held is None:
            held = self._held[about] = _Held(now_ms)
        held.seen_ms = now_ms
        return held

    def _begin(self, about: About, held: _Held, detail: str) -> None:
        if len(self._standing) >= CURRENT_MAX:
            self.untold += 1
            return
        self._last_id += 1
        alert = held.alert = Alert(self._last_id, about, detail, held.since_ms)
        self._standing[about] = held
        self.begun[about.kind] += 1
        log.warning("alert.begun", **_named(about), detail=detail)
        self._tell(alert)

    def _end(self, about: About, held: _Held, alert: Alert) -> None:
        del self._standing[about]
        ended = msgspec.structs.replace(alert, ended_ms=held.seen_ms)
        self._recent.append(ended)
        lasted_s = (held.seen_ms - alert.begun_ms) / 1000
        log.info("alert.ended", **_named(about), lasted_s=lasted_s, times=alert.times)
        self._tell(ended)

    def _tell(self, alert: Alert) -> None:
        for listener in self._listeners:
            listener(alert)


def _named(about: About) -> dict[str, str]:
    """Return what an alert is about for the log, without what it does not name."""
    named: dict[str, str] = msgspec.structs.asdict(about)
    return {name: value for name, value in named.items() if value}
