"""Time: the only file that reads a clock. Everything else is given one."""

import asyncio
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Where time comes from; tests pass a clock that moves by hand."""

    def now_ms(self) -> int:
        """Return Unix time in milliseconds."""

    def now_ns(self) -> int:
        """Return Unix time in nanoseconds."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return Unix time in milliseconds."""
        return time.time_ns() // 1_000_000

    def now_ns(self) -> int:
        """Return Unix time in nanoseconds."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)


def iso(ms: int) -> str:
    """Return Unix milliseconds as ISO-8601 UTC with milliseconds."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


def utc(ms: int) -> datetime:
    """Return Unix milliseconds as an aware UTC datetime."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def unix_ms(moment: datetime) -> int:
    """Return a datetime as Unix milliseconds."""
    return round(moment.timestamp() * 1000)


@lru_cache(maxsize=256)
def _second(second: int) -> str:
    return f"{datetime.fromtimestamp(second, tz=UTC):%Y-%m-%dT%H:%M:%S}"  # many events share one
