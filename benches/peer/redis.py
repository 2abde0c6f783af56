"""A throw-away Redis on a unix socket, with an append-only file synced every second.

`target.py` starts it for the peer. The machine's own redis-server is used when there is one;
otherwise the Debian packages are fetched and unpacked under the build folder, nothing installed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benches.children import await_ready, check, child
from quantdesk.core.errors import Unavailable

SYSTEM = Path("/usr/bin/redis-server")
PACKAGES = ("redis-server", "redis-tools", "libjemalloc2", "liblzf1")

_START_S = 10
_CURE = (
    "The peer needs Redis. Install it (apt-get install redis-server), or let this bench unpack it\n"
    "from the packages {packages}, which needs apt-get and its lists (apt-get update).\n{reason}"
)


@dataclass(frozen=True, slots=True)
class Redis:
    """A server that accepts commands on the unix socket `socket`."""

    pid: int
    socket: Path


@contextmanager
def redis(folder: Path, build: Path) -> Iterator[Redis]:
    """Run a fresh Redis with its files in `folder`; stop it on leaving."""
    folder.mkdir()
    socket, log = folder / "redis.sock", folder / "redis.log"
    options = {"--port": "0", "--unixsocket": str(socket), "--dir": str(folder), "--save": ""}
    durable = {"--appendonly": "yes", "--appendfsync": "everysec"}
    command = [*find_redis(build), *(word for pair in (options | durable).items() for word in pair)]
    with child(command, log=log) as process:
        await_ready(process, lambda: socket.exists() or None, log=log, seconds=_START_S)
        yield Redis(process.pid, socket)


def find_redis(build: Path) -> Sequence[str]:
    """Return the command of a redis-server that runs; raise `Unavailable` when none can be had."""
    if SYSTEM.exists():
        return [str(SYSTEM)]
    root = build / "redis" / "root"
    try:
        if not (root / "usr/bin/redis-server").exists():
            _unpack(root)
        command = _unpacked(root)
        check([*command, "--version"])
    except Unavailable as failure:
        packages = ", ".join(PACKAGES)
        raise Unavailable(_CURE.format(packages=packages, reason=failure.detail)) from failure
    return command


def _unpack(root: Path) -> None:
    folder = root.parent
    folder.mkdir(parents=True, exist_ok=True)
    check(["apt-get", "download", *PACKAGES], cwd=folder)
    for package in sorted(folder.glob("*.deb")):
        check(["dpkg", "-x", package, root])


def _unpacked(root: Path) -> Sequence[str]:
    libraries = next((root / "usr/lib").glob("*/libjemalloc.so.2")).parent
    return ["env", f"LD_LIBRARY_PATH={libraries}", str(root / "usr/bin/redis-server")]
