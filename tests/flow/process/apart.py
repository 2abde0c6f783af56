"""The roles of a desk as processes of their own: `quantdesk run`, on one database and one NATS."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flow.bus.server import NatsServer, nats_server
from tests.flow.process.running import Process, homes

FRESH_MS = 6_000
"""Prices come each second; a busy machine may be late by several."""
MODE = ("--mode", "paper", "--set", f"guard.price_age_ms_max={FRESH_MS}")


class Role(Process):
    """One process of several."""

    def __init__(self, home: Path, role: str, *flags: str) -> None:
        super().__init__(home, *flags)
        self._role = role

    def launch(self) -> None:
        """Start the process and return at once."""
        command = [sys.executable, "-m", "quantdesk", "run", self._role, "--home", str(self.home)]
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [*command, "--port", "0", *self.flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip


@dataclass
class Apart:
    """An ingest process and two desks, started in this order, with the owner's one key."""

    nats: NatsServer
    ingest: Role
    first: Role
    second: Role

    def start(self, *, desks: int) -> None:
        """Start the ingest process and so many desks; return when they are ready."""
        self.ingest.start()
        for desk in (self.first, self.second)[:desks]:
            desk.home.mkdir(mode=0o700)
            shutil.copy(self.ingest.home / "owner.key", desk.home)
            if desk is not self.first:
                shutil.copy(self.first.home / "master.key", desk.home)
            desk.start()


@contextmanager
def apart(database: str) -> Iterator[Apart]:
    """Name the processes of one desk on a database; all are put away."""
    with ExitStack() as stack:
        nats, folder = stack.enter_context(nats_server()), stack.enter_context(homes())
        shared = ("--set", f"database_url={database}", "--set", f"nats_url={nats.url}")

        def role(name: str, does: str, *flags: str) -> Role:
            named = Role(folder / name, does, *MODE, *shared, *flags)
            stack.callback(named.put_away)
            return named

        yield Apart(
            nats,
            role("ingest", "ingest", "--source", "simulated"),
            role("first", "desk", "--set", "paper.latency_ms=20"),
            role("second", "desk", "--set", "paper.latency_ms=20"),
        )
