"""Processes that a desk starts beside itself, adopts when they outlived it, and stops."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.ops.folder import is_alive

_POLL_S = 0.02


class Place(msgspec.Struct, frozen=True):
    """Where a child runs, as it says itself."""

    pid: int
    rpc: str
    ws: str


class Child:
    """A process that writes a `Place` file while it serves.

    It is started with its arguments and a port: the given one at first, and the same again ever
    after, so that those who know its place still find it when it had to be started anew.
    """

    def __init__(
        self, *, module: str, args: Sequence[str], place: Path, log: Path, port: int = 0
    ) -> None:
        self._command = [sys.executable, "-m", module, *args]
        self._place = place
        self._log = log
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, *, clock: Clock, within_s: float) -> Place:
        """Start it, or adopt the one that runs; return once it serves.

        Raises `Unavailable` (`child.start`) when it ends or stays silent.
        """
        found = self.place() or await self._started(clock, within_s)
        self._port = urlsplit(found.rpc).port or 0
        return found

    async def _started(self, clock: Clock, within_s: float) -> Place:
        self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            # Its own session: Ctrl-C at the desk's terminal is the desk's to handle.
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own module, no shell
                [*self._command, str(self._port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = clock.monotonic() + within_s
        while (found := self.place()) is None:
            if self._process.poll() is not None or clock.monotonic() > deadline:
                raise Unavailable(
                    f"{self._command[2]} did not start: see {self._log}", code="child.start"
                )
            await clock.sleep(_POLL_S)
        return found

    def place(self) -> Place | None:
        """Return where it runs, None when it does not."""
        try:
            found = msgspec.json.decode(self._place.read_bytes(), type=Place)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        return found if self._runs(found.pid) else None

    async def lives(self) -> bool:
        """Return whether it serves."""
        return self.place() is not None

    async def stop(self, *, clock: Clock, within_s: float) -> None:
        """End it politely, then by force; also one that does not serve yet."""
        found = self.place()
        pid = found.pid if found else self._process.pid if self._process else None
        if pid is None or not self._runs(pid):
            return
        deadline = clock.monotonic() + within_s
        os.kill(pid, signal.SIGTERM)
        while self._runs(pid):
            if clock.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                return
            await clock.sleep(_POLL_S)

    def _runs(self, pid: int) -> bool:
        if self._process is not None:
            self._process.poll()  # reap our own, or it stays alive in name
        return is_alive(pid)
