"""The documents' Node stack as a target: Postgres, Redis, then peer.mjs on both.

`orders.py` measures it beside the desk. Needs node >= 20 and npm, which installs the exact
versions of package-lock.json on first use.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from benches.children import await_ready, check, child
from benches.peer.postgres import postgres, run_sql, settings_at
from benches.peer.redis import redis
from benches.target import Running, Target
from quantdesk.core.errors import Unavailable

FOLDER = Path(__file__).parent
_START_S = 20


class _Ready(msgspec.Struct):
    port: int


def peer(build: Path, *, concurrency: int, pool: int) -> Target:
    """Return the peer with `concurrency` jobs at once and `pool` database connections."""
    return Target(f"peer {concurrency}/{pool}", lambda: _run(build, concurrency, pool))


@contextmanager
def _run(build: Path, concurrency: int, pool: int) -> Iterator[Running]:
    install()
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as name, ExitStack() as started:
        folder = Path(name)
        folder.chmod(0o755)  # Postgres may run as another user than the bench
        database = started.enter_context(postgres(folder / "postgres"))
        queue = started.enter_context(redis(folder / "redis", build))
        run_sql(database.socket_dir, "-f", FOLDER / "schema.sql")
        log = folder / "peer.log"
        command = ["node", str(FOLDER / "peer.mjs"), "--concurrency", str(concurrency)]
        command += ["--pool", str(pool)]
        command += ["--postgres", str(database.socket_dir), "--redis", str(queue.socket)]
        with child(command, log=log) as node:
            port = await_ready(node, lambda: _port(log), log=log, seconds=_START_S)
            groups = {"node": node.pid, "postgres": database.pid, "redis": queue.pid}
            yield Running(
                port=port,
                all_path="/ws/firehose",
                each_path="/ws/orders",
                header="",
                groups={name: (pid,) for name, pid in groups.items()},
                database=settings_at(database.socket_dir),
            )


def install() -> None:
    """Install the exact versions of package-lock.json unless done; raise `Unavailable`."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Unavailable(f"the peer needs {program} (node >= 20); it was not found in PATH")
    installed, lock = FOLDER / "node_modules/.package-lock.json", FOLDER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        check(["npm", "ci", "--ignore-scripts"], cwd=FOLDER)


def _port(log: Path) -> int | None:
    line, ended, _ = log.read_bytes().partition(b"\n")
    return msgspec.json.decode(line, type=_Ready).port if ended else None
