"""The desk as a target: `quantdesk up` in paper mode, without simulated delay, in a fresh home.

`orders.py` measures it beside the peer. The port, the pid and the key are read from the files the
desk writes into its home: `desk.json` and `owner.key`.
"""

import os
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from benches.children import await_ready, child
from benches.peer.postgres import run_sql, settings_at
from benches.target import Running, Target
from quantdesk.core.errors import Unavailable

_START_S = 60  # a first start creates a database
_ANSWER_S = 1
_OLD_ORDERS = Path(__file__).with_name("old_orders.sql")


class Urls(msgspec.Struct):
    """Where it answers."""

    api: str


class State(msgspec.Struct):
    """What a running desk says of itself in `desk.json`."""

    pid: int
    urls: Urls


@dataclass(frozen=True, slots=True)
class _Postmaster:
    pid: int
    socket_dir: Path


def desk() -> Target:
    """Return the desk, all roles in one process, on the Postgres it starts itself."""
    return Target("desk", _run)


def seasoned() -> Target:
    """Return the desk with a million old orders in its tables."""
    return Target("desk, 1 M old orders", _run_seasoned)


@contextmanager
def _run() -> Iterator[Running]:
    with home() as place, started(place, "paper", "paper.latency_ms=0") as state:
        yield _running(place, state, launched=state.pid)


@contextmanager
def _run_seasoned() -> Iterator[Running]:
    with _run() as running:
        postmaster = _parent_socket(running)
        run_sql(postmaster, "-f", _OLD_ORDERS)
        yield running


def _parent_socket(running: Running) -> Path:
    (pid,) = running.groups["postgres"]
    return Path(Path(f"/proc/{pid}/cwd").readlink())


@contextmanager
def home() -> Iterator[Path]:
    """Make a fresh home; whatever Postgres is left in it at the end is stopped."""
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as name:
        Path(name).chmod(0o755)  # the desk's Postgres may run as another user than the bench
        place = Path(name) / "home"
        try:
            yield place
        finally:
            _end_postmaster(place)


@contextmanager
def started(place: Path, mode: str, *settings: str) -> Iterator[State]:
    """Run a desk in `place` until it leaves; the block begins when it is ready."""
    log = place.with_suffix(".log")
    quantdesk = Path(sys.executable).with_name("quantdesk")
    command: list[str | Path] = [quantdesk, "up", "--mode", mode, "--home", place, "--port", "0"]
    chosen = [word for setting in settings for word in ("--set", setting)]
    with child([*command, "--source", "simulated", *chosen], log=log) as process:
        yield await_ready(process, lambda: _ready(place), log=log, seconds=_START_S)


def _running(home: Path, state: State, *, launched: int) -> Running:
    port = urlsplit(state.urls.api).port
    postmaster = _postmaster(home)
    if port is None or postmaster is None:
        raise Unavailable("desk.json names no port, or no Postgres runs under the desk's home")
    return Running(
        port=port,
        all_path="/ws/orders",
        each_path="/ws/orders",
        header=f"Authorization: Bearer {(home / 'owner.key').read_text().strip()}",
        groups={"desk": (launched, state.pid), "postgres": (postmaster.pid,)},
        database=settings_at(postmaster.socket_dir),
    )


def _ready(home: Path) -> State | None:
    try:
        state = msgspec.json.decode((home / "desk.json").read_bytes(), type=State)
        ready = urlsplit(state.urls.api)._replace(path="/readyz").geturl()
        urllib.request.urlopen(ready, timeout=_ANSWER_S).close()
    except (FileNotFoundError, msgspec.DecodeError, urllib.error.URLError, TimeoutError):
        return None
    return state


def _postmaster(home: Path) -> _Postmaster | None:
    # postmaster.pid: line 1 is the pid, line 5 the folder of the unix socket.
    for path in home.rglob("postmaster.pid"):
        lines = path.read_text().splitlines()
        return _Postmaster(int(lines[0]), Path(lines[4]))
    return None


def _end_postmaster(home: Path) -> None:
    # The desk stops its Postgres; one that outlived a killed desk would keep the home busy.
    left = _postmaster(home)
    if left is not None and Path(f"/proc/{left.pid}").exists():
        os.kill(left.pid, signal.SIGINT)
