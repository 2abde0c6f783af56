"""Health: each part of the desk is asked how it is; orders move only when all are well."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable

DISK_LEAST_BYTES = 200 * 1024 * 1024
CLOCK_JUMP_MS = 5_000

Probe = Callable[[], Awaitable[str]]
"""Returns how a part is in a few words, or raises the `DeskError` that says what is wrong."""


@dataclass(frozen=True, slots=True)
class State:
    """How a part of the desk is: Initializing, Ready, Processing, Error, Saving or Shutdown."""

    name: str
    state: str
    detail: str


class Health:
    """The parts of one desk."""

    def __init__(self, probes: dict[str, Probe]) -> None:
        self._probes = probes
        self.stopping = False

    async def states(self) -> list[State]:
        """Ask every part."""
        return [await self._state(name, probe) for name, probe in self._probes.items()]

    async def _state(self, name: str, probe: Probe) -> State:
        if self.stopping:
            return State(name, "Shutdown", "the desk is stopping")
        try:
            return State(name, "Ready", await probe())
        except DeskError as problem:
            return State(name, "Error", f"{problem.code}: {problem.detail}")


def disk(folder: Path) -> Probe:
    """Return a probe of the room left where the desk keeps its data."""

    async def probe() -> str:
        free = shutil.disk_usage(folder).free
        if free < DISK_LEAST_BYTES:
            raise Unavailable(
                f"{free // 2**20} MB are free in {folder}; make room", code="disk.full"
            )
        return f"{free // 2**20} MB free"

    return probe


def steady_clock(clock: Clock) -> Probe:
    """Return a probe of jumps of the wall clock against the monotonic one."""
    began_ms, began = clock.now_ms(), clock.monotonic()

    async def probe() -> str:
        nonlocal began_ms, began
        now_ms, now = clock.now_ms(), clock.monotonic()
        drift_ms = (now_ms - began_ms) - round((now - began) * 1000)
        if abs(drift_ms) > CLOCK_JUMP_MS:
            began_ms, began = now_ms, now  # told once; prices and leases settle by themselves
            raise Unavailable(f"the clock jumped by {drift_ms} ms", code="clock.jumped")
        return f"drift {drift_ms} ms"

    return probe
