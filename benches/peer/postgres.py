"""A throw-away Postgres for the peer: the very one the desk embeds, with the desk's settings.

`settings_at` reads the settings of any Postgres, so that a comparison on unequal databases is
refused instead of printed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benches.children import Command, check
from quantdesk.store.embedded import Embedded
from quantdesk.store.programs import programs

COMPARED = (
    *("fsync", "full_page_writes", "synchronous_commit", "shared_buffers", "jit"),
    *("checkpoint_timeout", "commit_delay", "max_wal_size", "wal_compression", "wal_level"),
)
"""The settings that move the numbers."""

_NAME = "quantdesk"  # of the embedded database and of its owner


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that accepts `quantdesk` on the unix socket in `socket_dir`."""

    pid: int
    socket_dir: Path


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a fresh Postgres with its data and socket in `folder`; stop it on leaving."""
    embedded = Embedded(folder)
    asyncio.run(embedded.start())
    try:
        lines = (folder / "postgres/postmaster.pid").read_text().splitlines()
        yield Postgres(int(lines[0]), Path(lines[4]))
    finally:
        asyncio.run(embedded.stop())


def run_sql(socket_dir: Path, *arguments: str | Path) -> str:
    """Run psql as the owner on the server at `socket_dir` and return what it printed."""
    where: Command = ["-h", socket_dir, "-U", _NAME, "-d", _NAME]
    quiet = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    return check([programs() / "psql", *where, *quiet, *arguments])


def settings_at(socket_dir: Path) -> dict[str, str]:
    """Return the compared settings of the Postgres at `socket_dir`, in its own units."""
    names = ", ".join(f"'{name}'" for name in COMPARED)
    query = f"select name || '=' || setting from pg_settings where name in ({names}) order by name"
    lines = run_sql(socket_dir, "-c", query).splitlines()
    return dict(line.split("=", 1) for line in lines)
