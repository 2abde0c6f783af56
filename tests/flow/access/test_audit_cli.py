"""Promise: the commands say what is wrong and exit so; an export proves itself."""

import asyncio
import csv
import hashlib
import json
from pathlib import Path

import asyncpg
import pytest
from tests.flow.access.audited import NOON_MS, World
from typer.testing import CliRunner

from quantdesk.access.audit.witness import Files
from quantdesk.cli.root import app
from quantdesk.core.clock import iso
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.store.pool import connect


@pytest.fixture
def home(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home whose desk audited a few acts and stopped; no loop runs, as for a command."""
    monkeypatch.setenv("QD_DATABASE_URL", database)
    monkeypatch.setenv("QD_HOME", str(tmp_path))

    async def past() -> None:
        async with await connect(database, write_max=2, read_max=2) as pools:
            world = World(pools, database)
            await world.begin()
            await world.note(world.act("user.added", after={"name": "=1+1", "limit": 1.5}))
            await world.keep(3, world.keeper(Files(tmp_path)))
            await Files(tmp_path).publish(world.signer.public)

    asyncio.run(past())
    return tmp_path


async def forge(url: str) -> None:
    c = await asyncpg.connect(url)
    await c.execute("alter table audit disable trigger append_only")
    await c.execute("delete from audit where seq = 5")
    await c.close()


def test_that_verify_says_what_holds(home: Path) -> None:
    done = CliRunner().invoke(app, ["audit", "verify"])
    assert done.exit_code == 0, done.output
    assert "the audit holds: 5 rows" in done.output
    assert (home / "audit.pub").read_text().strip() != ""


def test_that_verify_refuses_what_does_not(home: Path, database: str) -> None:
    asyncio.run(forge(database))
    done = CliRunner().invoke(app, ["audit", "verify"])
    assert done.exit_code == 1
    assert isinstance(done.exception, Corrupt)
    assert "row 5 of the audit" in done.exception.detail


def test_that_an_export_proves_itself(home: Path) -> None:
    file = home / "audit.jsonl"
    done = CliRunner().invoke(app, ["audit", "export", "--out", str(file)])
    assert done.exit_code == 0, done.output
    before = "00" * 32
    lines = file.read_text().splitlines()
    assert len(lines) == 5
    for line in lines:
        told = json.loads(line)
        body = line[line.index('"body":') + 7 : -1]
        assert told["prevHash"] == before
        before = told["hash"]
        assert before == hashlib.sha256(bytes.fromhex(told["prevHash"]) + body.encode()).hexdigest()
    assert file.stat().st_mode & 0o077 == 0


def test_that_a_spreadsheet_has_no_formula_and_only_its_time(home: Path) -> None:
    file = home / "audit.csv"
    since = ["--since", iso(NOON_MS)]
    form = ["--format", "csv", "--out", str(file)]
    done = CliRunner().invoke(app, ["audit", "export", *since, *form])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["action"] for row in rows] == ["audit.key_made", "user.added", *["key.made"] * 3]
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    later = CliRunner().invoke(app, ["audit", "export", "--since", iso(NOON_MS + 1)])
    assert later.stdout == ""


def test_that_an_unknown_form_is_refused(home: Path) -> None:
    done = CliRunner().invoke(app, ["audit", "export", "--format", "xml"])
    assert isinstance(done.exception, Refused)
    assert done.exception.code == "format.unknown"
