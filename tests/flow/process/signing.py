"""Clients in one process, the wallet in another: `quantdesk run api` and `quantdesk run worker`."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.flow.bus.server import nats_server
from tests.flow.process.apart import Role
from tests.flow.process.running import homes

PAPER = ("--mode", "paper", "--set", "paper.latency_ms=20")
SLOW = ("--mode", "paper", "--set", "paper.latency_ms=1000", "--set", "orders.lease_s=1")
LOCALNET = ("--mode", "localnet", "--set", "orders.lease_s=1")
KEY_FILES = ("wallet.key", "maker.key", "devnet.key", "wallet.sealed")


class Worker(Role):
    """A process that takes no clients: nobody has a key for it."""

    @property
    def key(self) -> str:
        """Return nothing that lets anybody in."""
        return "nobody"


@dataclass
class Signing:
    """An ingest process, an api process and two workers, each with a home of its own."""

    ingest: Role
    api: Role
    first: Worker
    second: Worker

    def hear(self) -> None:
        """Start the ingest process, and give the api process the owner's key."""
        self.ingest.start()
        self.api.home.mkdir(mode=0o700)
        shutil.copy(self.ingest.home / "owner.key", self.api.home)

    def start(self, *, workers: int = 1) -> None:
        """Start the ingest process, so many workers, the api process; return when all are ready."""
        self.hear()
        for worker in (self.first, self.second)[:workers]:
            worker.start()
        self.api.start()

    def until_told(self, part: str) -> None:
        """Return once the api process says that a part of it is not well."""
        self.api.until(lambda: self.api.service(part)["state"] == "Error", f"{part} told of")


@contextmanager
def signing(database: str, *flags: str) -> Iterator[Signing]:
    """Name the processes on a database; all are put away."""
    with ExitStack() as stack:
        nats, folder = stack.enter_context(nats_server()), stack.enter_context(homes())
        shared = ("--set", f"database_url={database}", "--set", f"nats_url={nats.url}", *flags)

        def named(role: Role) -> Role:
            stack.callback(role.put_away)
            return role

        def worker(name: str) -> Worker:
            made = Worker(folder / name, "worker", *shared)
            stack.callback(made.put_away)
            return made

        yield Signing(
            named(Role(folder / "ingest", "ingest", "--source", "simulated", *shared)),
            named(Role(folder / "api", "api", *shared)),
            worker("first"),
            worker("second"),
        )
