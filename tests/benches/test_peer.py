"""The peer is pinned to exact versions, names no host, and runs on a durable database."""

import json
import re
import shutil
import tempfile
from pathlib import Path

from benches.peer.postgres import postgres, run_sql, settings_at
from benches.peer.target import FOLDER


def test_every_dependency_has_one_exact_version_and_the_lock_agrees() -> None:
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    locked = json.loads((FOLDER / "package-lock.json").read_text())["packages"]

    for name, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert locked[f"node_modules/{name}"]["version"] == version


def test_the_lock_names_no_host() -> None:
    assert "://" not in (FOLDER / "package-lock.json").read_text()


def test_the_database_is_durable_takes_the_schema_and_leaves_no_process() -> None:
    folder = Path(tempfile.mkdtemp(prefix="qd-bench-"))  # a socket's path must be short
    try:
        folder.chmod(0o755)
        with postgres(folder / "postgres") as database:
            run_sql(database.socket_dir, "-f", FOLDER / "schema.sql")
            settings = settings_at(database.socket_dir)
            assert run_sql(database.socket_dir, "-c", "select count(*) from orders") == "0\n"
    finally:
        shutil.rmtree(folder)

    assert {settings[name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {
        "on"
    }
    assert not _runs(database.pid)


def _runs(pid: int) -> bool:
    try:
        # A process that ended and was not reaped yet has no command line any more.
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False
