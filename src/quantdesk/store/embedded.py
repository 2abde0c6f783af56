"""The embedded Postgres: one server per desk, inside its data folder, from the wheel's programs.

`quantdesk up` starts it, or adopts the one that a killed desk left running; only a clean stop ends
it. It listens on a Unix socket that its own user alone may open, and on no network.

    <home>/postgres/             the data, mode 0700
    <home>/postgres/desk.conf    our settings, written at every start; postgresql.conf includes it
    <home>/postgres/log/         a week of logs
    <home>/postgres.lock         held while a desk starts or stops the server
"""

import asyncio
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.store.identity import Identity, choose
from quantdesk.store.programs import Call, explained, failure, must, programs, run

_VERSION = "18"
_NAME = "quantdesk"  # of the database and of its owner
_SOCKET = ".s.PGSQL.5432"
_SOCKET_MAX = 103  # bytes of a socket's path: 107 on Linux, 103 on macOS
_RUNTIME = "quantdesk-"  # prefix of the socket's folder when the home's path is too long

_POLL_S = 0.05
_LOCK_S = 60  # another desk starting or stopping this server
_CREATE_S = 120  # each step of the first start, on slow disks
_START_S = 600  # replaying the journal after a crash
_STOP_S = 4  # the last checkpoint; after that it is stopped without one
_ASK_S = 10  # one question to a running server, and how long a ready one may be silent
_ORPHANS_S = 10  # a killed server's children letting go of its memory
_SLOW_S = 3  # a start longer than this is explained

_CONF = """\
# Written by the desk at every start. Your own settings go into postgresql.conf and win.
listen_addresses = ''
unix_socket_directories = {sockets}
unix_socket_permissions = 0700
max_connections = 50
shared_buffers = 128MB
huge_pages = off
dynamic_shared_memory_type = mmap   # containers give /dev/shm 64 MB
max_parallel_workers_per_gather = 0
io_method = sync                    # no processes for reading: an idle desk stays small
jit = off
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
max_logical_replication_workers = 0
wal_compression = pglz
max_wal_size = 1GB
min_wal_size = 128MB
checkpoint_timeout = 15min
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = 'log'
log_filename = 'postgres-%a.log'    # a file per weekday, each begun anew: never more than a week
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_min_messages = log              # failed statements are told to the desk, which logs them
log_checkpoints = off
"""
_MAIN_CONF = "include 'desk.conf'\n# Your own settings go below and win.\n"
_HELD = "pre-existing shared memory block"
_ELSEWHERE = "redirecting log output"


def _silent(_: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class _Postmaster:
    """What a server writes about itself into `postmaster.pid`."""

    pid: int
    sockets: Path
    ready: bool


class Embedded:
    """A Postgres server in `home`; `say` is told what a long start is doing."""

    def __init__(self, home: Path, say: Callable[[str], None] = _silent) -> None:
        self._home = home.expanduser().absolute()
        self._data = self._home / "postgres"
        self._say = say
        self._bin = programs()
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Return the URL of the desk's database; the server must have been started."""
        assert self._url is not None, "start() comes first"
        return self._url

    async def start(self) -> str:
        """Start the server, or adopt the one that runs, and return the URL of its database.

        Raises Refused `database.permission`, `database.root`, `database.version`, and Unavailable
        `database.full`, `database.slow`, `database.unavailable`; the text names the cure.
        """
        with explained(self._home):
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with self._locked():
            running = await self._running()
            if running is None:
                if not (self._data / "PG_VERSION").exists():
                    await self._create()
                running = await self._launch()
            self._url = _url(running.sockets)
        return self._url

    async def stop(self) -> None:
        """Stop the server, ours or adopted, within about 10 s; do nothing if none runs."""
        if not self._data.is_dir():
            return
        async with self._locked():
            found = self._postmaster()
            if found is None or not await self._alive(found.pid):
                return
            try:
                await self._pg_ctl("stop", "-m", "fast", seconds=_STOP_S)
            except Unavailable:
                # Nothing committed is lost: the next start replays the journal.
                await self._pg_ctl("stop", "-m", "immediate", seconds=_STOP_S)
            self._forget(found)

    async def runs(self) -> bool:
        """Return whether the server's process is there."""
        found = self._postmaster()
        return found is not None and await self._alive(found.pid)

    @cached_property
    def _who(self) -> Identity:
        needed = [self._data, self._bin / "postgres", Path(tempfile.gettempdir(), _RUNTIME)]
        return choose(self._home, needed)

    async def _running(self) -> _Postmaster | None:
        """Return the server that runs here, waiting while one starts or stops."""
        silent = 0.0
        async for _ in _ticks(_START_S):
            found = self._postmaster()
            if found is None:
                return None
            if found.ready and await self._answers(found.sockets):
                return found
            if not await self._alive(found.pid):
                self._forget(found)
                return None
            silent += _POLL_S * found.ready
            if silent > _ASK_S:
                break
        detail = f"a Postgres holds {self._data} but does not answer"
        cure = "end it by `kill` of the number in its postmaster.pid"
        raise Unavailable(f"{detail}: {cure}", code="database.unavailable")

    def _postmaster(self) -> _Postmaster | None:
        # https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/utils/pidfile.h
        with explained(self._data):
            try:
                lines = (self._data / "postmaster.pid").read_text("utf-8").splitlines()
            except FileNotFoundError:
                return None
        lines += [""] * (8 - len(lines))
        pid = int(lines[0]) if lines[0].strip().isdigit() else 0
        return _Postmaster(pid, Path(lines[4]), lines[7].strip() == "ready")

    async def _answers(self, sockets: Path) -> bool:
        ask = ("-q", "-h", str(sockets), "-t", "3", "-d", _NAME, "-U", _NAME)
        code, _ = await run(Call((self._program("pg_isready"), *ask), _ASK_S))
        return code == 0

    async def _alive(self, pid: int) -> bool:
        if sys.platform != "linux":
            return _exists(pid)
        # A server works in its data folder. The link is read as the server's own user, because
        # root inside a container may not read it.
        read = ("/usr/bin/env", "readlink", f"/proc/{pid}/cwd")
        code, said = await run(Call(read, _ASK_S, self._who))
        return code == 0 and said.rstrip("\n") == str(self._data.resolve())

    async def _create(self) -> None:
        self._say("setting up the database (first start)")
        fresh = self._home / "postgres.new"
        with explained(self._home):
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            self._who.own(fresh)
        auth = ("--auth-local=trust", "--auth-host=reject", "--username", _NAME)
        # A new journal segment is filled with zeros while everybody waits: small ones cost a few
        # milliseconds each instead of fifty.
        options = ("--encoding=UTF8", "--locale=C", "--wal-segsize=1")
        initdb = (self._program("initdb"), *auth, *options)
        await must(Call(initdb, _CREATE_S, self._who, fresh))
        alone = (self._program("postgres"), "--single", "-c", "exit_on_error=on", "postgres")
        told = f"create database {_NAME}\n"
        await must(Call(alone, _CREATE_S, self._who, fresh, told))
        with explained(self._home):
            (fresh / "postgresql.conf").write_text(_MAIN_CONF, "utf-8")
            # Complete or not at all: a desk killed in here begins again.
            fresh.rename(self._data)
            _sync(self._home)

    async def _launch(self) -> _Postmaster:
        slow = asyncio.get_running_loop().call_later(
            _SLOW_S, self._say, "the database is replaying its journal"
        )
        code, said = 1, ""
        try:
            with explained(self._data):
                self._settle()
            async for _ in _ticks(_ORPHANS_S):
                code, said = await self._tried()
                if _HELD not in said:
                    break
        finally:
            slow.cancel()
        if code:
            raise failure("Postgres", said)
        started = self._postmaster()
        assert started is not None, "pg_ctl waits until the server is ready"
        return started

    def _settle(self) -> None:
        """Make the data folder ready for this start: its version, owner and settings."""
        found = (self._data / "PG_VERSION").read_text("ascii").strip()
        if found != _VERSION:
            detail = f"{self._data} was made by Postgres {found}, the desk brings {_VERSION}"
            raise Refused(f"{detail}: move it with pg_upgrade", code="database.version")
        if self._who.uid is not None and self._data.stat().st_uid != self._who.uid:
            self._who.own(self._data)
        conf = self._data / "desk.conf"
        conf.write_text(_CONF.format(sockets=_quoted(self._sockets())), "utf-8")
        self._who.own(conf)

    def _sockets(self) -> Path:
        """Return the folder of the socket: the data, or a short one if that path is too long."""
        if len(os.fsencode(self._data / _SOCKET)) <= _SOCKET_MAX:
            return self._data
        folder = Path(tempfile.mkdtemp(prefix=_RUNTIME))
        self._who.own(folder)
        return folder

    async def _tried(self) -> tuple[int, str]:
        log = self._data / "start.log"
        log.unlink(missing_ok=True)
        code, said = await run(self._call("start", "-l", log.name, seconds=_START_S))
        if code and log.exists():
            said = log.read_text("utf-8", "replace")
            if _ELSEWHERE in said:
                logs = (self._data / "log").glob("*.log")
                newest = max(logs, key=lambda file: file.stat().st_mtime)
                said += newest.read_text("utf-8", "replace")
        return code, said

    async def _pg_ctl(self, *args: str, seconds: int) -> None:
        await must(self._call(*args, seconds=seconds))

    def _call(self, *args: str, seconds: int) -> Call:
        argv = (self._program("pg_ctl"), *args, "-w", "-t", str(seconds))
        return Call(argv, seconds + _ASK_S, self._who, self._data)

    def _program(self, name: str) -> str:
        return str(self._bin / name)

    def _forget(self, gone: _Postmaster) -> None:
        # A crash leaves these behind, and Postgres would not start if anybody has that number now.
        # Should children of the dead server still run, Postgres finds them by their memory.
        with explained(self._data):
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            (self._data / f"{_SOCKET}.lock").unlink(missing_ok=True)
        if gone.sockets.name.startswith(_RUNTIME):
            shutil.rmtree(gone.sockets, ignore_errors=True)

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        with explained(self._home):
            handle = os.open(self._home / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            async for _ in _ticks(_LOCK_S):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                break
            else:
                detail = f"another desk has been starting or stopping in {self._home} for too long"
                raise Unavailable(detail, code="database.busy")
            yield
        finally:
            os.close(handle)


def _url(sockets: Path) -> str:
    return f"postgresql://{_NAME}@/{_NAME}?host={quote(str(sockets), safe='/')}"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return pid > 0


def _quoted(folder: Path) -> str:
    # Twice: as an item of a list of folders, then as a value of the file.
    item = '"' + str(folder).replace('"', '""') + '"'
    return "'" + item.replace("\\", "\\\\").replace("'", "''") + "'"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _ticks(seconds: float) -> AsyncIterator[None]:
    for _ in range(round(seconds / _POLL_S)):
        yield
        await asyncio.sleep(_POLL_S)
