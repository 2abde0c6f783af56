"""What the doctor asks of a desk: its port, its database, its chain, and the desk itself."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import msgspec

from quantdesk.api.server import bind
from quantdesk.cli.audit_checks import protection
from quantdesk.cli.checks import Finding, Level, unwell
from quantdesk.cli.client import client
from quantdesk.cli.views import Ready
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.ops import folder
from quantdesk.settings import Settings
from quantdesk.store.embedded import Embedded

POSTGRES_SHIPPED = "18"
POSTGRES_LEAST = 15
_ASK_S = 3.0
_SLOT_WAITS = 30
_SLOT_S = 0.1


async def desk_checks(home: Path, settings: Settings, clock: Clock) -> list[Finding]:
    """Return how the desk of a data folder is, or would be if it were started now."""
    try:
        told: dict[str, Any] | None = folder.running(home)
    except Unavailable:
        told = None
    url = settings.database_url
    found = [
        port(settings, told),
        await named_database(url) if url else embedded_database(home, told),
    ]
    found += await audit(home, url)
    if told is not None:
        found += [await ready(home), *await chain(told, clock)]
    else:
        found.append(Finding(Level.OK, "desk", f"none runs in {home}: `quantdesk up` starts one"))
    return found


async def audit(home: Path, url: str | None) -> list[Finding]:
    """Return how the audit is protected; nothing where no database answers."""
    if url:
        return [await protection(url)]
    if _postmaster(home / "postgres") is None:
        return []
    try:
        return [await protection(await Embedded(home).start())]
    except DeskError as problem:
        return [unwell("audit", problem)]


def port(settings: Settings, told: dict[str, Any] | None) -> Finding:
    """Return whether the desk listens, or could."""
    if told is not None:
        return Finding(Level.OK, "port", f"{urlsplit(told['urls']['api']).netloc} is this desk's")
    where = f"{settings.api.host}:{settings.api.port}"
    try:
        bind(settings.api.host, settings.api.port).close()
    except DeskError as problem:
        cure = "end the program that has it, or `quantdesk up --port 0`"
        return Finding(Level.WARN, "port", f"{where} is taken ({problem.code})", cure)
    return Finding(Level.OK, "port", f"{where} is free")


def embedded_database(home: Path, told: dict[str, Any] | None) -> Finding:
    """Return how the Postgres of a data folder is."""
    data = home / "postgres"
    try:
        made_by = (data / "PG_VERSION").read_text("ascii").strip()
    except FileNotFoundError:
        return Finding(Level.OK, "database", "none yet: the first `quantdesk up` makes it")
    except PermissionError:
        return Finding(Level.WARN, "database", f"{data} may not be read", "run as its owner")
    if made_by != POSTGRES_SHIPPED:
        detail = f"{data} was made by Postgres {made_by}, the desk brings {POSTGRES_SHIPPED}"
        return Finding(Level.FAIL, "database", detail, "move it with pg_upgrade")
    pid = _postmaster(data)
    if pid is None:
        return Finding(Level.OK, "database", f"embedded Postgres {made_by}, stopped")
    by = "" if told else ", left by a desk that was killed: the next `up` adopts it"
    return Finding(Level.OK, "database", f"embedded Postgres {made_by} runs (pid {pid}){by}")


async def ready(home: Path) -> Finding:
    """Return how the running desk says it is."""
    try:
        async with client(home) as desk:
            told = msgspec.json.decode(await desk.get("/readyz"), type=Ready)
    except DeskError as problem:
        return unwell("desk", problem, "see what the desk itself printed; restart it")
    return Finding(Level.OK, "desk", f"ready: {', '.join(part.name for part in told.services)}")


async def chain(told: dict[str, Any], clock: Clock) -> list[Finding]:
    """Return whether the running desk's local chain makes slots; nothing without one."""
    rpc = told["urls"].get("rpc")
    if rpc is None:
        return []
    try:
        first = last = await _slot(rpc)
        for _ in range(_SLOT_WAITS):
            if last > first:
                return [Finding(Level.OK, "localnet", f"{rpc} makes slots (now {last})")]
            await clock.sleep(_SLOT_S)
            last = await _slot(rpc)
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        said = f"{rpc} does not answer ({type(problem).__name__})"
        return [Finding(Level.FAIL, "localnet", said, "restart the desk: it starts its chain")]
    stuck = f"{rpc} stands at slot {last}"
    return [Finding(Level.FAIL, "localnet", stuck, "restart the desk, or let its slots go on")]


async def _slot(rpc: str) -> int:
    # The finalized slot, which is what it tells unasked, is 0 for a fresh chain's first 13 s.
    params = [{"commitment": "processed"}]
    ask = {"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": params}
    timeout = aiohttp.ClientTimeout(total=_ASK_S)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.post(rpc, json=ask) as on:
        told = msgspec.json.decode(await on.read(), type=dict[str, Any])
    return int(told.get("result", -1))


async def named_database(url: str) -> Finding:
    """Return whether the database that the settings name answers and is new enough."""
    parts = urlsplit(url)
    where = f"{parts.hostname or 'a socket'}{parts.path}"  # the password is not shown
    cure = "see that it runs and that QD_DATABASE_URL is right"
    try:
        async with asyncio.timeout(_ASK_S):
            connection = await asyncpg.connect(url, timeout=_ASK_S)
            major = connection.get_server_version().major
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as problem:
        return Finding(
            Level.FAIL, "database", f"{where}: {type(problem).__name__}: {problem}", cure
        )
    if major < POSTGRES_LEAST:
        told = f"{where} is Postgres {major}"
        return Finding(Level.FAIL, "database", told, f"use Postgres {POSTGRES_LEAST} or newer")
    return Finding(Level.OK, "database", f"{where} is Postgres {major}")


def _postmaster(data: Path) -> int | None:
    try:
        pid = int((data / "postmaster.pid").read_text("utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if folder.is_alive(pid) else None
