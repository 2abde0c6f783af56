"""A real desk in a child process, and the real commands beside it, as a person would run them.

Output goes to files: the embedded Postgres outlives a killed desk and would hold a pipe open.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

STOP_S = 5.0
_PATIENCE_S = 120.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Started:
    """A command that runs."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Return what it printed so far."""
        return self.log.read_text("utf-8")

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; the command must not end before."""
        deadline = time.monotonic() + _PATIENCE_S
        while not holds():
            assert self.process.poll() is None, f"it ended: {self.said()}"
            assert time.monotonic() < deadline, f"it takes too long: {self.said()}"
            time.sleep(_POLL_S)

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal; return the exit code and the seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE_S), time.monotonic() - began


@dataclass(slots=True)
class Home:
    """A data folder and what runs in it."""

    path: Path
    started: list[Started] = field(default_factory=list)

    @property
    def desk_file(self) -> Path:
        """Return where a running desk says that it runs."""
        return self.path / "desk.json"

    def start(self, *words: str) -> Started:
        """Run a command beside the test."""
        log = self.path.parent / f"{len(self.started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command(words), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=_environment(self.path),
            )  # fmt: skip
        self.started.append(Started(process, log))
        return self.started[-1]

    def up(self, *words: str) -> Started:
        """Run a paper desk and return once it is ready."""
        desk = self.start("up", "--mode", "paper", "--port", "0", "--source", "simulated", *words)
        desk.until(self.desk_file.exists)
        return desk

    def run(self, *words: str) -> Said:
        """Run a command to its end."""
        done = subprocess.run(
            self._command(words), capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
            env=_environment(self.path),
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    def close(self) -> None:
        """End what still runs; a Postgres that a killed desk left is adopted and stopped."""
        for started in self.started:
            if started.process.poll() is None:
                started.end(signal.SIGTERM)
        if (self.path / "postgres" / "postmaster.pid").exists():
            self.up().end(signal.SIGTERM)

    @staticmethod
    def _command(words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "quantdesk", *words]


def _environment(home: Path) -> dict[str, str]:
    inherited = os.environ.items()  # noqa: TID251 - a child of the test, not the desk's settings
    kept = {name: value for name, value in inherited if not name.startswith("QD_")}
    return {**kept, "QD_HOME": str(home)}
